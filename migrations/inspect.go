package migrations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// A State describes what a schema holds before a migration.
type State string

// The states. Up and Down refuse StateMixed and StateForeign.
const (
	StateEmpty   State = "empty"
	StateLegacy  State = "legacy"
	StateUnified State = "unified"
	StateMixed   State = "mixed"
	StateForeign State = "not ours"
)

// recordTable holds the records of applied migrations.
const recordTable = "attune_migrations"

// signatures maps the tables of every schema of attune's, legacy or unified, to columns that
// other tables of the same name lack.
var signatures = map[string][]string{
	"pack":    {"id", "ref", "label", "version"},
	"runtime": {"id", "ref", "name", "distributions"},
	"action":  {"id", "ref", "entrypoint", "runtime"},
	"sensor":  {"id", "ref", "entrypoint", "runtime", "runtime_ref"},
	"worker":  {"id", "name", "worker_type", "status", "capabilities"},

	recordTable: {"id", "applied", "adopted", "requires", "program"},
}

// installed lists the signature tables in the order of their creation.
var installed = []string{"pack", "runtime", "action", "sensor", "worker"}

// Further names that migrations use in a schema.
const (
	legacyEnum     = "runtime_type_enum"
	legacyColumn   = "runtime_type"
	versionTable   = "runtime_version"
	archiveTable   = "runtime_unification"
	enumWorkerType = "worker_type_enum"
	enumStatus     = "worker_status_enum"
	enumRole       = "worker_role_enum"
)

// A relation is a table, view or index with one of attune's names.
type relation struct {
	oid int64
	// table reports an ordinary or partitioned table.
	table bool
	// columns maps names to types.
	columns map[string]string
}

// A space is what one schema holds under attune's names.
type space struct {
	oid       int64
	name      string
	usable    bool
	relations map[string]*relation
	enums     map[string][]string
}

// ours reports whether the schema has the table with its signature columns.
func (s *space) ours(name string) bool {
	r := s.relations[name]
	return r != nil && r.table && len(lackingColumns(r, name)) == 0
}

// lackingColumns returns the signature columns that a relation lacks.
func lackingColumns(r *relation, name string) []string {
	var missing []string
	for _, c := range signatures[name] {
		if _, ok := r.columns[c]; !ok {
			missing = append(missing, c)
		}
	}
	return missing
}

// isOccupied reports whether the schema holds attune's tables, or remains of them. A single table
// other than runtime may resemble attune's by chance.
func (s *space) isOccupied() bool {
	if s.ours(recordTable) || s.ours("runtime") {
		return true
	}
	n := 0
	for _, name := range installed {
		if s.ours(name) {
			n++
		}
	}
	return n > 1
}

// has reports whether a relation has a column.
func (s *space) has(table, column string) bool {
	r := s.relations[table]
	if r == nil {
		return false
	}
	_, ok := r.columns[column]
	return ok
}

// An inspection is a schema, its records, and the state that follows from them.
type inspection struct {
	*space
	state    State
	findings []string
	// lost lists those of findings that are attune's own objects in a guest, which Down and Up
	// create anew.
	lost []string
	// dropped lists those of findings that are columns of the platform's, which Down does not need.
	dropped []string
	records []record
	// others lists further schemas that hold attune's tables.
	others []string
	// file reports that the database is SQLite.
	file bool
}

// inspect resolves and classifies the schema. It writes nothing.
func (m *Migrator) inspect(ctx context.Context, db bun.IDB) (*inspection, error) {
	spaces, err := survey(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", explain(err))
	}
	s, err := choose(spaces, m.cfg.Schema)
	if err != nil {
		return nil, err
	}
	in := &inspection{space: s, file: !m.postgres()}
	for _, o := range spaces {
		if o.name != s.name && o.isOccupied() {
			in.others = append(in.others, o.name)
		}
	}
	if s.ours(recordTable) {
		in.records, err = readRecords(ctx, db, s.name)
		if sqlState(err) == codePrivilege {
			return nil, fmt.Errorf("read %s: %w: %w; GRANT SELECT ON %s to it", recordTable, ErrPrivilege, err, table(s.name, recordTable))
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", recordTable, explain(err))
		}
	}
	in.classify(db.Dialect().Name())
	return in, nil
}

// choose returns the wanted schema, else the only one with attune's tables, else public.
func choose(spaces []*space, wanted string) (*space, error) {
	var names []string
	var found, locked *space
	for _, s := range spaces {
		switch {
		case wanted != "" && s.name == wanted:
			return s, usableOrError(s)
		case wanted != "" || !s.isOccupied():
		case !s.usable:
			locked = s
		default:
			names = append(names, s.name)
			found = s
		}
	}
	switch {
	case wanted != "":
		return &space{name: wanted, usable: true}, nil
	case len(names) > 1:
		return nil, &SchemaError{Found: names, kind: ErrAmbiguousSchema}
	case found != nil:
		return found, nil
	case locked != nil:
		return nil, usableOrError(locked)
	}
	for _, s := range spaces {
		if s.name == defaultSchema {
			return s, usableOrError(s)
		}
	}
	if len(spaces) == 1 && spaces[0].name == sqliteSchema {
		return spaces[0], nil
	}
	return &space{name: defaultSchema, usable: true}, nil
}

func usableOrError(s *space) error {
	if s.usable {
		return nil
	}
	return fmt.Errorf("schema %q: %w: it may not look into the schema; "+
		"GRANT USAGE ON SCHEMA %s to it, or name another schema", s.name, ErrPrivilege, quote(s.name))
}

// classify sets the state and collects what does not fit.
func (in *inspection) classify(database dialect.Name) {
	n := 0
	for _, name := range installed {
		if in.ours(name) {
			n++
		}
	}
	if n == 0 && len(in.records) == 0 {
		in.classifyEmpty()
		return
	}
	for _, name := range installed {
		r := in.relations[name]
		switch {
		case r == nil:
			in.find("table %s is missing", name)
		case !r.table:
			in.find("%s is not a table", name)
		case !in.ours(name):
			in.find("table %s lacks %s", name, strings.Join(lackingColumns(r, name), ", "))
		}
	}
	if r := in.relations[recordTable]; r != nil && !in.ours(recordTable) {
		in.find("%s is not the migrator's table: it lacks %s", recordTable, strings.Join(lackingColumns(r, recordTable), ", "))
	}
	if database == dialect.SQLite {
		in.classifySQLite()
	} else {
		in.classifyPostgres()
	}
	if in.guest() {
		in.classifyGuest()
	} else {
		in.classifyWorkerRuntime()
		in.classifyFleet()
	}
	if len(in.findings) > 0 {
		in.state = StateMixed
	}
}

func (in *inspection) find(format string, args ...any) {
	in.findings = append(in.findings, fmt.Sprintf(format, args...))
}

// classifyEmpty distinguishes a schema that can take a baseline from one in which others use
// attune's names.
func (in *inspection) classifyEmpty() {
	in.state = StateEmpty
	var names []string
	for name := range in.relations {
		if name != recordTable || !in.ours(recordTable) {
			names = append(names, name)
		}
	}
	for name := range in.enums {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		in.state = StateForeign
		if missing := signatures[name]; in.relations[name] != nil && len(missing) > 0 {
			in.find("%s exists without attune's columns (%s)", name, strings.Join(lackingColumns(in.relations[name], name), ", "))
		} else {
			in.find("the name %s is taken", name)
		}
	}
}

// classifySQLite checks for the unified state. On SQLite the only other valid state is empty.
func (in *inspection) classifySQLite() {
	in.state = StateUnified
	if !in.isRecorded(Baseline) {
		in.find("the tables exist, but %s has no record of them", recordTable)
	}
	if in.relations["runtime"] != nil && !in.has("runtime", "execution_config") {
		in.find("table runtime lacks execution_config")
	}
	if in.relations[versionTable] == nil {
		in.find("table %s is missing", versionTable)
	}
}

// refuse returns an error for a state in which no migration can begin.
func (in *inspection) refuse() error {
	switch in.state {
	case StateMixed:
		e := &StateError{Schema: in.name, Findings: in.findings, kind: ErrMixed, File: in.file}
		if in.onlyLost() {
			e.Lost, e.Dropped = len(in.lost) > 0, len(in.dropped) > 0
		}
		return e
	case StateForeign:
		return &StateError{Schema: in.name, Findings: in.findings, kind: ErrNotOurs, File: in.file}
	}
	return nil
}

// onlyLost reports whether the schema is in a mixed state for the lack of attune's own objects and of the platform's
// columns alone.
func (in *inspection) onlyLost() bool {
	n := len(in.lost) + len(in.dropped)
	return in.state == StateMixed && n > 0 && n == len(in.findings)
}

// checkElsewhere returns an error if the schema is empty and others hold attune's tables. Most likely
// its name was mistyped.
func (in *inspection) checkElsewhere() error {
	if in.state == StateEmpty && len(in.others) > 0 {
		return &SchemaError{Wanted: in.name, Found: in.others, kind: ErrWrongSchema}
	}
	return nil
}
