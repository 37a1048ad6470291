package unify

import (
	"context"
	"encoding/json"
)

// Plan is what Up or Adopt would do.
type Plan struct {
	Schema string `json:"schema"`
	// Adopt: runtime_type is gone already, so this is what Adopt would do.
	Adopt bool `json:"adopt"`
	// Runtimes has what each runtime is made of, by ref.
	Runtimes []Merge `json:"runtimes"`
	// Tables has the rows that would be re-pointed, by column.
	Tables []Repointed `json:"tables"`
	// Changes of the catalog, in order.
	Changes []change `json:"changes"`
	// Notes are worth knowing and stand in nobody's way.
	Notes []string `json:"notes"`
	// Obstacles must be cleared first.
	Obstacles []Obstacle `json:"obstacles"`
}

// Obstacle is something that cannot be handled.
type Obstacle struct {
	// Object in words: table attune.sensor.
	Object string `json:"object"`
	Reason string `json:"reason"`
	// SQL that clears the way.
	SQL string `json:"sql"`
}

// Merge is one runtime and the rows that it is made of.
type Merge struct {
	Ref string `json:"ref"`
	// ID of the row that survives.
	ID   int64    `json:"id"`
	From []Source `json:"from"`
	// Conflicts are the values that differ between the rows.
	Conflicts []Conflict `json:"conflicts,omitempty"`
	// FromCore names what is filled in from the core definition.
	FromCore []string `json:"from_core,omitempty"`
}

// Source is a row that goes into a runtime. The first one survives.
type Source struct {
	ID  int64  `json:"id"`
	Ref string `json:"ref"`
}

// Conflict is a key that two rows have with different values.
type Conflict struct {
	// Key is a column, or distributions and a path in it.
	Key string `json:"key"`
	// Kept is the value of KeptFrom, Lost that of LostFrom. A lost value stays
	// in runtime_unification.
	Kept     json.RawMessage `json:"kept"`
	KeptFrom string          `json:"kept_from"`
	Lost     json.RawMessage `json:"lost"`
	LostFrom string          `json:"lost_from"`
}

func (s *session) examine(ctx context.Context) (*Plan, error) {
	plan := &Plan{Schema: s.schema, Adopt: !s.legacy()}
	var err error
	if plan.Obstacles, err = s.obstacles(ctx); err != nil {
		return nil, err
	}
	return plan, nil
}

func (s *session) obstacles(ctx context.Context) ([]Obstacle, error) { return nil, nil }
