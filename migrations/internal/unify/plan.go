package unify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// A Plan is what Up would do.
type Plan struct {
	Schema string `json:"schema"`
	// Runtimes holds the runtimes with the rows that they are made of, by ref.
	Runtimes []Merge `json:"runtimes"`
	// Tables counts the rows that would be re-pointed, by column.
	Tables []Repointed `json:"tables"`
	// Changes lists the changes of the catalog, in order.
	Changes []Change `json:"changes"`
	// Notes holds what an operator should know. It prevents nothing.
	Notes []string `json:"notes"`
	// Obstacles must be cleared first. The rest of the plan is empty if one of them prevents reading
	// rows.
	Obstacles []Obstacle `json:"obstacles"`
}

// A Merge is one runtime and the rows that it is made of.
type Merge struct {
	Ref string `json:"ref"`
	// ID is the ID of the surviving row.
	ID   int64    `json:"id"`
	From []Source `json:"from"`
	// Conflicts holds the values that differ between the rows.
	Conflicts []Conflict `json:"conflicts,omitempty"`
	// FromCore lists what comes from the core definition.
	FromCore []string `json:"from_core,omitempty"`
}

// A Source is a row that goes into a runtime. The first one survives.
type Source struct {
	ID  int64  `json:"id"`
	Ref string `json:"ref"`
}

// A Conflict is a key with different values in two rows.
type Conflict struct {
	// Key is a column, or distributions and a path in it.
	Key string `json:"key"`
	// Kept is the value of KeptFrom, and Lost the value of LostFrom, which are refs. KeptFrom is the
	// unified ref if the value comes from several rows. runtime_unification keeps lost values.
	Kept     json.RawMessage `json:"kept"`
	KeptFrom string          `json:"kept_from"`
	Lost     json.RawMessage `json:"lost"`
	LostFrom string          `json:"lost_from"`
}

// Rows returns the number of rows in other tables that would be re-pointed.
func (p *Plan) Rows() int64 {
	var n int64
	for _, t := range p.Tables {
		n += t.Rows
	}
	return n
}

// Sources returns the present number of rows in runtime.
func (p *Plan) Sources() int {
	n := 0
	for _, m := range p.Runtimes {
		n += len(m.From)
	}
	return n
}

// Conflicts returns the number of values that differ.
func (p *Plan) Conflicts() int {
	n := 0
	for _, m := range p.Runtimes {
		n += len(m.Conflicts)
	}
	return n
}

func (s *session) examine(ctx context.Context) (*Plan, error) {
	plan := &Plan{Schema: s.schema, Runtimes: []Merge{}, Tables: []Repointed{}, Notes: []string{}, Obstacles: []Obstacle{}}
	var err error
	if plan.Obstacles, err = s.obstacles(ctx); err != nil {
		return nil, err
	}
	if plan.Obstacles == nil {
		plan.Obstacles = []Obstacle{}
	}
	first, then, err := s.changes(ctx)
	if err != nil {
		return nil, err
	}
	plan.Changes = []Change{}
	for _, c := range append(first, then...) {
		if c.Action != "" {
			plan.Changes = append(plan.Changes, c)
		}
	}
	if !s.runtime.CanRead || s.runtime.Hidden {
		return plan, nil
	}
	if plan.Runtimes, err = s.merges(ctx); err != nil {
		return nil, err
	}
	if plan.Tables, err = s.countRows(ctx); err != nil {
		return nil, err
	}
	plan.Notes, err = s.notes(ctx)
	return plan, err
}

// countRows counts the rows that would be re-pointed. Tables that cannot be read are obstacles
// already.
func (s *session) countRows(ctx context.Context) ([]Repointed, error) {
	tables := []Repointed{}
	for _, r := range s.references {
		if !r.isSimple() || !r.table.CanRead || r.table.Hidden {
			continue
		}
		n, err := s.count(ctx, "count the rows of "+r.table.text(), s.withMap()+fmt.Sprintf(
			"SELECT count(*) FROM %s t LEFT JOIN attune_map u ON u.id = t.%s WHERE %s",
			r.table.from(), ident(r.column()), s.moves(r)))
		if err != nil {
			return nil, err
		}
		tables = append(tables, Repointed{Table: r.table.text(), Column: r.column(), Rows: n})
	}
	for _, r := range s.loose {
		if !r.table.CanRead || r.table.Hidden {
			continue
		}
		n, err := s.count(ctx, "count the rows of "+r.table.text(), "SELECT count(*) FROM "+r.table.from()+" t WHERE "+oldText(r))
		if err != nil {
			return nil, err
		}
		tables = append(tables, Repointed{Table: r.table.text(), Column: r.column(), Rows: n})
	}
	t := s.depsTable()
	if t == nil || !t.CanRead || t.Hidden {
		return tables, nil
	}
	n, err := s.count(ctx, "count the rows of pack",
		fmt.Sprintf("SELECT count(*) FROM %s t WHERE %s", t.from(), oldDeps("t."+ident(depsColumn))))
	return append(tables, Repointed{Table: t.text(), Column: depsColumn, Rows: n}), err
}

// moves returns the condition that row t changes. u is the runtime that it refers to.
func (s *session) moves(r *reference) string {
	moves := "u.became <> u.id"
	if r.refColumn != "" {
		ref := "t." + ident(r.refColumn)
		moves += fmt.Sprintf(" OR %s <> u.became_ref OR t.%s IS NULL AND %s <> %s", ref, ident(r.column()), ref, target(ref+"::text"))
	}
	return moves
}

// notes returns notes about denormalised refs that stay as they are, functions that only seem to
// use dropped objects, and rows whose ref and runtime_type differ.
func (s *session) notes(ctx context.Context) ([]string, error) {
	notes := []string{}
	for _, step := range []func(context.Context) ([]string, error){s.sideNotes, s.refNotes, s.functionNotes} {
		more, err := step(ctx)
		if err != nil {
			return nil, err
		}
		notes = append(notes, more...)
	}
	return notes, nil
}

// refNotes returns notes about columns that are named like a denormalised ref and are not
// re-pointed.
func (s *session) refNotes(ctx context.Context) ([]string, error) {
	var found []struct {
		OID    int64  `json:"oid"`
		Table  string `json:"relation"`
		Column string `json:"name"`
	}
	err := s.load(ctx, "find refs without a key", `
SELECT c.oid::int8 AS oid, n.nspname || '.' || c.relname AS relation, a.attname AS name
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attname ~ '(^|_)`+refColumn+`$' AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' ORDER BY 2, 3`, &found)
	var notes []string
	for _, f := range found {
		i := slices.IndexFunc(s.tables, func(t *table) bool { return t.OID == f.OID })
		switch {
		case i < 0 || len(s.referencesOf(s.tables[i])) == 0:
			notes = append(notes, f.Table+"."+f.Column+" has no key to runtime beside it: it stays as it is")
		case !slices.Contains(s.repointedColumns(s.tables[i]), f.Column):
			notes = append(notes, f.Table+"."+f.Column+" is generated or not text: it stays as it is")
		}
	}
	return notes, err
}

func (s *session) sideNotes(ctx context.Context) ([]string, error) {
	notes := []string{}
	var found []struct {
		Note string `json:"note"`
	}
	err := s.load(ctx, "find rows whose ref and runtime_type differ", fmt.Sprintf(
		"SELECT r.ref || ' (row ' || r.id || ') has runtime_type ' || r.runtime_type || ': its ref decides' AS note FROM %s r "+
			"WHERE r.ref ~ %s AND split_part(r.ref, '.', 2) <> r.runtime_type::text ORDER BY r.id", s.runtime.from(), literal(legacyForm)), &found)
	for _, f := range found {
		notes = append(notes, f.Note)
	}
	return notes, err
}
