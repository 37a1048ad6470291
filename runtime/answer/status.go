package answer

import (
	"cmp"
	"context"
	"time"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A Status is the state of a fleet and of the definitions that its hosts read.
type Status struct {
	// Program is the version of attune that answers.
	Program string `json:"program"`
	// Guest reports whether a platform made the tables.
	Guest   bool   `json:"guest"`
	Workers Counts `json:"workers"`
	// Definitions is the number of all, also of malformed ones.
	Definitions int                   `json:"definitions"`
	Malformed   []MalformedDefinition `json:"malformed"`
	// LastChange is the id of the newest change, or the newest that a server followed; 0 without one.
	LastChange int64 `json:"last_change"`
	// Streams is the number of streams that the server which answers has open; nil without a server.
	Streams *int `json:"streams,omitempty"`
	// Now is the time of the answer by the database's clock.
	Now time.Time `json:"now"`
}

// A MalformedDefinition names a malformed definition, which hosts do not read.
type MalformedDefinition struct {
	Ref   string `json:"ref"`
	Fault string `json:"fault"`
}

// StatusOf returns the status of a database with these definitions.
func StatusOf(ctx context.Context, st *store.Store, defs []metadata.Definition) (*Status, error) {
	guest := st.Layout().Guest()
	s := &Status{Program: attune.Version, Guest: guest, Definitions: len(defs), Malformed: MalformedOf(defs, guest)}
	counts, err := CountWorkers(ctx, st, store.Selection{})
	if err != nil {
		return nil, err
	}
	s.Workers = *counts
	if s.LastChange, err = st.Changes.Last(ctx); err != nil {
		return nil, err
	}
	s.Now, err = st.Now(ctx)
	return s, err
}

// MalformedOf returns the malformed ones of definitions. In a guest any ref is right.
func MalformedOf(defs []metadata.Definition, guest bool) []MalformedDefinition {
	malformed := []MalformedDefinition{}
	for i := range defs {
		if fault := cmp.Or(faultOf(&defs[i], guest), defs[i].Contradictions()); fault != nil {
			malformed = append(malformed, MalformedDefinition{Ref: defs[i].Ref, Fault: fault.Error()})
		}
	}
	return malformed
}
