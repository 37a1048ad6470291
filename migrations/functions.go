package migrations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/lazy"
)

// functionDefinition matches a function in a migration's file, functionSetting a setting that it gives
// a function, and functionDrop the name of a dropped one.
var functionDefinition = lazy.Regexp(`(?s)\nCREATE (?:OR REPLACE )?FUNCTION \{schema\}\.(\w+)\(.*?\)\s+RETURNS (.*?)\$attune\$(.*?)\$attune\$;`)

var functionSetting = lazy.Regexp(`\nALTER FUNCTION \{schema\}\.(\w+)\([^)]*\) SET (\w+) = (\w+);`)

var functionDrop = lazy.Regexp(`\nDROP FUNCTION \{schema\}\.(\w+)\(`)

// ownersFunctions lists the functions that run with the rights of their owner.
var ownersFunctions = []string{"prune_changes", "sweep_workers", "worker_runtime_delete", "worker_runtime_follow_status"}

// triggerFunctions lists the functions with which the database sets the times of worker and
// bounds what is written. They run with the rights of the role that writes.
var triggerFunctions = []string{
	"worker_bound_documents", "worker_bound_values", "worker_runtime_bound_documents", "worker_stamp_heartbeat", "worker_stamp_updated",
}

// ownersPath is pg_proc.proconfig of functions with the rights of their owner, before further settings.
const ownersPath = "search_path=pg_catalog, pg_temp"

// shareFunctions makes the owner of worker the owner of the new functions, and lets roles
// that may write worker sweep and prune. PUBLIC may not.
func (m *Migrator) shareFunctions(ctx context.Context, tx bun.IDB, in *inspection) error {
	var statements []string
	err := tx.NewRaw(`
WITH worker AS (
    SELECT c.relowner, c.relacl, c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = ?0
)
SELECT pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', p.oid::pg_catalog.regprocedure, pg_catalog.pg_get_userbyid(w.relowner))
FROM pg_catalog.pg_proc p JOIN worker w ON w.relnamespace = p.pronamespace
WHERE p.proname IN (?1) AND p.proowner <> w.relowner
UNION ALL
SELECT pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %s', p.oid::pg_catalog.regprocedure, x.grantee::pg_catalog.regrole::pg_catalog.text)
FROM pg_catalog.pg_proc p JOIN worker w ON w.relnamespace = p.pronamespace, pg_catalog.aclexplode(w.relacl) x
WHERE p.proname IN ('sweep_workers', 'prune_changes') AND x.privilege_type = 'UPDATE' AND x.grantee <> 0 AND x.grantee <> w.relowner`,
		in.relations["worker"].oid, bun.List(slices.Concat(ownersFunctions, triggerFunctions))).Scan(ctx, &statements)
	if err != nil {
		return fmt.Errorf("read owner and privileges of worker: %w", err)
	}
	return execAll(ctx, tx, statements)
}

// A liveFunction is a function of attune's in the catalog.
type liveFunction struct {
	Name, Text, Settings string
	Definer, Public      bool
}

// A wantedFunction is a function of the newest migration that created or replaced it.
type wantedFunction struct {
	migration, text string
	definer         bool
	settings        string // with the rights of the owner
}

// wantedFunctions returns the functions that the migrations up to the newest recorded one leave
// behind. The first one that counts is SafeFunctions or, in a guest, WorkerRuntime.
func (m *Migrator) wantedFunctions(in *inspection) map[string]wantedFunction {
	want := map[string]wantedFunction{}
	for _, s := range m.steps {
		text, first := s.up, SafeFunctions
		if in.guest() {
			text, first = s.guestUp, WorkerRuntime
		}
		if s.id < first || !in.isRecorded(s.id) {
			continue
		}
		for _, d := range functionDefinition().FindAllStringSubmatch(text, -1) {
			want[d[1]] = wantedFunction{
				migration: s.id, text: strings.ReplaceAll(d[3], "{schema}", quote(in.name)), definer: strings.Contains(d[2], "SECURITY DEFINER"),
				settings: ownersPath,
			}
		}
		for _, d := range functionSetting().FindAllStringSubmatch(text, -1) {
			f := want[d[1]]
			f.settings += "; " + d[2] + "=" + d[3]
			want[d[1]] = f
		}
		for _, d := range functionDrop().FindAllStringSubmatch(text, -1) {
			delete(want, d[1])
		}
	}
	return want
}

// functionDrift compares attune's functions with the live catalog.
func (m *Migrator) functionDrift(ctx context.Context, db bun.IDB, in *inspection) ([]Difference, error) {
	if !m.postgres() || !in.isRecorded(SafeFunctions) || in.state != StateUnified {
		return nil, nil
	}
	want := m.wantedFunctions(in)
	var rows []liveFunction
	err := db.NewRaw(`
SELECT p.proname AS name, p.prosrc AS text, p.prosecdef AS definer, coalesce(pg_catalog.array_to_string(p.proconfig, '; '), '') AS settings,
       EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) x
               WHERE x.grantee = 0 AND x.privilege_type = 'EXECUTE') AS public
FROM pg_catalog.pg_proc p WHERE p.pronamespace = ? AND p.proname IN (?)`, in.oid, bun.List(sortedKeys(want))).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read functions of schema %q: %w", in.name, explain(err))
	}
	var found []Difference
	differ := func(name, is, shouldBe string) {
		found = append(found, Difference{Table: "function " + name, Is: is, ShouldBe: shouldBe})
	}
	live := map[string][]liveFunction{}
	for _, f := range rows {
		live[f.Name] = append(live[f.Name], f)
	}
	for _, name := range sortedKeys(want) {
		switch of := live[name]; {
		case len(of) == 0:
			differ(name, "missing", "a function")
			continue
		case len(of) > 1:
			differ(name, fmt.Sprintf("%d functions with different parameters", len(of)), "one function; drop those that attune did not make")
			continue
		}
		f, definer, settings := live[name][0], want[name].definer, want[name].settings
		if f.Text != want[name].text {
			differ(name, "a different text", "the text of "+want[name].migration)
		}
		if f.Definer != definer {
			differ(name, security(f.Definer), security(definer))
		}
		if definer && f.Settings != settings {
			differ(name, "with the settings \""+f.Settings+"\"", "with \""+settings+"\"")
		}
		if definer && f.Public {
			differ(name, "executable by PUBLIC",
				"executable by its owner and named roles; run docs/roles.sql, or REVOKE ALL ON FUNCTION … FROM PUBLIC")
		}
	}
	return found, nil
}

func security(definer bool) string {
	if definer {
		return "with its owner's rights"
	}
	return "with its caller's rights"
}

// warnings returns what makes attune's tables less safe than they could be.
func (m *Migrator) warnings(ctx context.Context, db bun.IDB, in *inspection) ([]string, error) {
	if !m.postgres() || in.oid == 0 || in.relations["worker"] == nil {
		return nil, nil
	}
	var found []string
	err := db.NewRaw(`
WITH space AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl, c.oid AS worker, c.relowner
    FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c WHERE n.oid = ?0 AND c.oid = ?1
), foreigners AS (
    SELECT p.oid AS object, 'pg_catalog.pg_proc'::pg_catalog.regclass AS class, p.proowner AS owner FROM pg_catalog.pg_proc p, space s WHERE p.pronamespace = s.oid
    UNION ALL
    SELECT o.oid, 'pg_catalog.pg_operator'::pg_catalog.regclass, o.oprowner FROM pg_catalog.pg_operator o, space s WHERE o.oprnamespace = s.oid
)
SELECT pg_catalog.format('everybody may create in schema %s, and so have attune''s owner run what is put there: REVOKE CREATE ON SCHEMA %I FROM PUBLIC',
                         s.nspname, s.nspname)
FROM space s WHERE EXISTS (
    SELECT FROM pg_catalog.aclexplode(coalesce(s.nspacl, pg_catalog.acldefault('n', s.nspowner))) x WHERE x.grantee = 0 AND x.privilege_type = 'CREATE')
UNION ALL
(SELECT pg_catalog.format('%s belongs to the role %s, and may be meant to run with the rights of others', pg_catalog.pg_describe_object(f.class, f.object, 0),
                         pg_catalog.pg_get_userbyid(f.owner))
 FROM foreigners f, space s
 WHERE f.owner NOT IN (s.nspowner, s.relowner) AND NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = f.owner)
 ORDER BY 1 LIMIT 20)
UNION ALL
(SELECT pg_catalog.format('trigger %s on worker calls %s, which has no search_path of its own: sweeps run it with pg_catalog alone; '
                         'if it uses names without their schema: ALTER FUNCTION %s SET search_path = …',
                         t.tgname, t.tgfoid::pg_catalog.regprocedure, t.tgfoid::pg_catalog.regprocedure)
 FROM pg_catalog.pg_trigger t JOIN space s ON s.worker = t.tgrelid JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 16 <> 0 AND p.proname NOT IN (?2)
   AND NOT ?3 -- in a guest no sweep writes to worker
   AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) c WHERE pg_catalog.starts_with(c, 'search_path='))
 ORDER BY 1)`, in.oid, in.relations["worker"].oid, bun.List(triggerFunctions), in.guest()).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("check safety of schema %q: %w", in.name, explain(err))
	}
	return found, nil
}
