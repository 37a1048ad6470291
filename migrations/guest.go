package migrations

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/lazy"
	"github.com/attune-go/attune/migrations/internal/unify"
)

// stateTable has a row for each of attune's workers in a guest, and runtimeState one for each
// runtime that attune loaded.
const (
	stateTable   = "attune_worker_state"
	runtimeState = "attune_runtime_state"
	// guestMark has the number of changes of definitions.
	guestMark = "attune_definition_mark"
	// declarationRound has the progress with which the names that the platform's workers declare are resolved.
	declarationRound = "attune_declaration_round"
)

// guestSteps lists the migrations that create tables or indexes in a guest.
var guestSteps = []string{UnifyRuntimes, WorkerRuntime, WorkerLabels, Placement, Lookups, Server, Declarations}

// guestRelations lists the tables and views that each migration creates in a guest.
var guestRelations = map[string][]string{
	UnifyRuntimes: {runtimeState, "attune_runtime_version", "attune_requirement"},
	WorkerRuntime: {
		stateTable, "attune_worker_runtime", "attune_worker_label", "attune_worker_taint",
		"attune_capability_change", "attune_worker_sweep", availableView,
	},
	Placement:    {"attune_worker_cordon", "attune_worker_operator_taint"},
	Lookups:      {guestMark},
	Server:       serverTables,
	Declarations: {declarationRound},
}

// guestTables maps the table of a model to its table in a guest.
var guestTables = map[string]string{
	"runtime_version": "attune_runtime_version", "worker_runtime": "attune_worker_runtime",
	"capability_change": "attune_capability_change", "worker_sweep": "attune_worker_sweep",
	"worker_label": "attune_worker_label", "worker_taint": "attune_worker_taint",
	"worker_cordon": "attune_worker_cordon", "worker_operator_taint": "attune_worker_operator_taint",
}

// guestTriggers lists the triggers of guestTables that must be enabled.
var guestTriggers = map[string][]string{
	"attune_worker_runtime": {"attune_worker_runtime_delete", "attune_bound_evidence"},
}

// guestNames lists all of guestRelations and their indexes.
var guestNames = sync.OnceValue(func() (names []string) {
	for _, id := range guestSteps {
		names = append(names, slices.Concat(guestRelations[id], newIndexes("guest", id))...)
	}
	return names
})

var newIndex = lazy.Regexp(`CREATE INDEX (\w+)|CONSTRAINT (\w+_(?:pkey|key)) `)

// newIndexes returns the names of the indexes that a migration creates, including keys.
func newIndexes(folder, id string) []string {
	text, err := files.ReadFile(path.Join(folder, id+".up.sql"))
	if err != nil {
		panic(err) // the file is embedded
	}
	var names []string
	for _, m := range newIndex().FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1]+m[2])
	}
	return names
}

// guest reports whether attune is a guest in the schema: somebody else unified its tables, and
// they stay as they are. Releases before the first guest adopted such tables, and kept what they
// changed in archiveTable.
func (in *inspection) guest() bool {
	if in.file || in.state != StateUnified {
		return false
	}
	r := in.record(UnifyRuntimes)
	return r == nil || r.Adopted && (in.relations[archiveTable] == nil || in.relations[runtimeState] != nil)
}

// classifyGuest finds tables of attune's that are missing and names that belong to others. After attune has moved in,
// a column that the platform dropped or renamed does not keep it from moving out.
func (in *inspection) classifyGuest() {
	for _, name := range installed {
		if r := in.relations[name]; r != nil && r.table && r.columns["id"] != "" && !in.ours(name) && len(in.records) > 0 {
			in.dropped = append(in.dropped, name)
		}
	}
	for _, id := range guestSteps {
		in.classifyNames(id, guestRelations[id], newIndexes("guest", id))
	}
}

// classifyNames finds names of a migration that are missing, or that are taken before it.
func (in *inspection) classifyNames(id string, relations, indexes []string) {
	recorded := in.isRecorded(id)
	for _, name := range slices.Concat(relations, indexes) {
		switch r := in.relations[name]; {
		case recorded && r == nil && slices.Contains(relations, name):
			in.find("%s is missing", name)
			if in.guest() {
				in.lost = append(in.lost, name)
			}
		case !recorded && r != nil:
			in.find("the name %s is taken, and %s needs it", name, id)
		}
	}
}

func (s *step) loadGuest() error {
	up, err := files.ReadFile(path.Join("guest", s.id+".up.sql"))
	if s.id == Baseline {
		return nil
	}
	if err != nil {
		return err
	}
	down, err := files.ReadFile(path.Join("guest", s.id+".down.sql"))
	if err != nil {
		return err
	}
	parts := strings.NewReplacer("{core_names}", unify.CoreAliases(), "{version_key}", versionKey())
	s.guestUp = parts.Replace(string(up))
	s.guestDown = strings.ReplaceAll(string(down), "{declare_worker}", parts.Replace(declareWorker()))
	return nil
}

// versionKey returns the definition of version_key with its name in a guest.
func versionKey() string {
	return "CREATE FUNCTION {schema}.attune_version_key(" + definitionOf("postgres", "version_key")
}

// declareWorker returns the statement that restores the first definition of attune_declare_worker.
func declareWorker() string {
	return "CREATE OR REPLACE FUNCTION {schema}.attune_declare_worker(" + definitionOf("guest", "attune_declare_worker")
}

// definitionOf returns the definition of a function in the file of WorkerRuntime, behind its name.
func definitionOf(folder, function string) string {
	text, err := files.ReadFile(path.Join(folder, WorkerRuntime+".up.sql"))
	if err != nil {
		panic(err) // the file is embedded
	}
	const end = "$attune$;"
	_, definition, _ := strings.Cut(string(text), "CREATE FUNCTION {schema}."+function+"(")
	definition, _, _ = strings.Cut(definition, end)
	return definition + end
}

// moveIn applies a migration in a guest.
func (m *Migrator) moveIn(ctx context.Context, tx bun.IDB, in *inspection, s step) error {
	if err := m.script(ctx, tx, in.name, s.guestUp); err != nil {
		return err
	}
	switch s.id {
	case Server:
		return m.ownServer(ctx, tx, in)
	case Placement:
		return m.shareReading(ctx, tx, in, guestRelations[s.id], nil)
	case Lookups:
		return m.shareMark(ctx, tx, in, guestMark)
	}
	return m.shareGuest(ctx, tx, in, guestRelations[s.id])
}

// shareGuest makes the owner of worker the owner of new tables and of attune's functions. Roles
// that may use worker may use the tables in the same way, sweep, prune and resolve what workers declare.
func (m *Migrator) shareGuest(ctx context.Context, tx bun.IDB, in *inspection, names []string) error {
	if len(names) == 0 {
		return nil
	}
	var statements []string
	err := tx.NewRaw(`
WITH worker AS (
    SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ?0
), added AS (
    SELECT c.oid, c.relkind, pg_catalog.format('%I.%I', w.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN worker w ON w.relnamespace = c.relnamespace
    WHERE c.relname IN (?1) OR c.oid IN (
        SELECT d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
        WHERE d.deptype = 'a' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid
          AND t.relname IN (?1) AND t.relnamespace = w.relnamespace)
), grants AS (
    SELECT x.privilege_type AS privilege,
           CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::pg_catalog.regrole::pg_catalog.text END AS grantee
    FROM worker w, pg_catalog.aclexplode(w.relacl) x
    WHERE x.grantee <> w.relowner AND x.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
), functions AS (
    SELECT p.oid::pg_catalog.regprocedure AS name, p.proname, p.proowner <> w.relowner AS foreign, w.relowner
    FROM pg_catalog.pg_proc p JOIN worker w ON w.relnamespace = p.pronamespace
    WHERE p.proname IN (?2)
)
SELECT pg_catalog.format('GRANT %s ON %s TO %s', g.privilege, a.name, g.grantee) FROM added a, grants g
WHERE a.relkind = 'r' OR a.relkind = 'v' AND g.privilege = 'SELECT'
UNION ALL
SELECT pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %s', a.name, g.grantee) FROM added a, grants g
WHERE a.relkind = 'S' AND g.privilege = 'INSERT'
UNION ALL
SELECT pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %s', f.name, g.grantee) FROM functions f, grants g
WHERE f.proname IN ('attune_sweep_workers', 'attune_prune_changes', 'attune_declare_workers') AND g.privilege = 'UPDATE' AND g.grantee <> 'PUBLIC'
UNION ALL
SELECT pg_catalog.format('ALTER TABLE %s OWNER TO %I', a.name, pg_catalog.pg_get_userbyid(w.relowner)) FROM added a, worker w
WHERE a.relkind IN ('r', 'v') AND pg_catalog.pg_get_userbyid(w.relowner) <> current_user
UNION ALL
SELECT pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', f.name, pg_catalog.pg_get_userbyid(f.relowner)) FROM functions f WHERE f.foreign`,
		in.relations["worker"].oid, bun.List(names),
		bun.List(slices.Concat(guestFunctions(UnifyRuntimes), guestFunctions(WorkerRuntime), guestFunctions(Declarations)))).
		Scan(ctx, &statements)
	if err != nil {
		return fmt.Errorf("read owner and privileges of worker: %w", err)
	}
	return execAll(ctx, tx, statements)
}

// leaveWorkers deletes attune's own workers from the platform's table, and restores the rows
// that attune took over.
const leaveWorkers = `
UPDATE {schema}.worker w SET ({columns}) = (SELECT {columns}
       FROM pg_catalog.jsonb_populate_record(NULL::{schema}.worker, s.former) f)
FROM {schema}.attune_worker_state s WHERE s.worker = w.id AND s.former IS NOT NULL;
DELETE FROM {schema}.worker w USING {schema}.attune_worker_state s WHERE s.worker = w.id AND s.former IS NULL`

// takenColumns are those of the platform's row that taking it over changes.
var takenColumns = []string{"worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat"}

// moveOut undoes a migration in a guest. The platform's triggers on worker fire with the
// caller's search_path.
func (m *Migrator) moveOut(ctx context.Context, tx bun.IDB, in *inspection, s step) error {
	// Without its columns, nothing says which workers are attune's: they stay.
	state := in.relations[stateTable]
	if s.id == WorkerRuntime && state != nil && state.columns["worker"] != "" && state.columns["former"] != "" {
		columns := slices.DeleteFunc(slices.Clone(takenColumns), func(c string) bool { return in.relations["worker"].columns[c] == "" })
		leave := strings.ReplaceAll(leaveWorkers, "{columns}", strings.Join(columns, ", "))
		err := onCallersPath(ctx, tx, func() error { return m.script(ctx, tx, in.name, leave) })
		if err != nil {
			return fmt.Errorf("remove attune's workers from %s: %w", table(in.name, "worker"), err)
		}
	}
	// A function that is brought back may name what somebody else dropped. Undoing WorkerRuntime
	// drops it.
	if _, err := tx.ExecContext(ctx, "SET LOCAL check_function_bodies = off"); err != nil {
		return err
	}
	return m.script(ctx, tx, in.name, s.guestDown)
}

// guestNotes returns what an operator of the platform should know before attune moves in.
func (m *Migrator) guestNotes(ctx context.Context, db bun.IDB, in *inspection) ([]string, error) {
	var tables []string
	err := db.NewRaw(`
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = ? AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  AND (c.relname = '_migrations' AND a.attname = 'filename' OR c.relname = '_sqlx_migrations' AND a.attname = 'description')
ORDER BY 1`, in.oid).Scan(ctx, &tables)
	if err != nil {
		return nil, fmt.Errorf("find the platform's own migrations: %w", explain(err))
	}
	notes := []string{"attune is a guest here: pack, runtime, action, sensor and worker stay as they are"}
	for _, name := range tables {
		notes = append(notes, fmt.Sprintf("the platform keeps its own migrations in %s and goes on applying them; attune's are in %s. "+
			"Files of attune's are not for the platform's migrator, %s.sql least of all", table(in.name, name), recordTable, UnifyRuntimes))
	}
	return notes, nil
}
