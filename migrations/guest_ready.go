package migrations

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/guards"
	"github.com/attune-go/attune/migrations/internal/lazy"
)

// referred lists the platform's tables to which attune's tables refer.
var referred = []string{"runtime", "action", "sensor", "worker"}

// guestNeeds maps the platform's tables to the further columns that attune's functions read, and
// these to the types that they can have. An empty list means any type.
var guestNeeds = map[string]map[string][]string{
	"worker": {"worker_role": nil, "last_heartbeat": {"timestamptz", "timestamp", "date"}},
}

// keyTypes lists the types to which a bigint can refer.
var keyTypes = []string{"int8", "int4", "int2", "numeric"}

// checkReady returns an error for what prevents attune from moving in: tables of the platform that
// attune's cannot refer to, names that are taken, or a missing privilege. pending lists the migrations
// that are not applied.
func (in *inspection) checkReady(ctx context.Context, db bun.IDB, pending []step) error {
	if lost := in.lostColumns(); len(lost) > 0 {
		e := &StateError{Schema: in.name, kind: ErrMixed, Lost: true}
		for _, d := range lost {
			e.Findings = append(e.Findings, d.String())
		}
		return e
	}
	var relations, functions, triggers []string
	if in.relations[recordTable] == nil {
		relations = append(relations, recordTable)
	}
	for _, s := range pending {
		for _, name := range guestRelations[s.id] {
			relations = append(relations, name, name+"_id_seq")
		}
		functions = append(functions, guestFunctions(s.id)...)
		triggers = append(triggers, guestTriggersOn(s.id)...)
	}
	var findings []string
	for _, d := range in.unfit() {
		findings = append(findings, d.String())
	}
	unreferable, err := in.unreferable(ctx, db, referred)
	if err != nil {
		return err
	}
	taken, err := in.takenNames(ctx, db, relations, functions, triggers)
	if err != nil {
		return err
	}
	findings = slices.Concat(findings, unreferable, taken)
	if len(findings) > 0 {
		return &StateError{Schema: in.name, kind: ErrMixed, Findings: findings}
	}
	var lacking []string
	err = db.NewRaw(`
WITH space AS (SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE oid = ?0),
     ours AS (SELECT c.oid, c.relname, c.relowner FROM pg_catalog.pg_class c, space s WHERE c.relnamespace = s.oid AND c.relname IN (?1))
SELECT 'CREATE on schema ' || s.nspname FROM space s WHERE NOT pg_catalog.has_schema_privilege(s.oid, 'CREATE')
UNION ALL SELECT p || ' on table ' || o.relname FROM ours o, pg_catalog.unnest(ARRAY['REFERENCES', 'TRIGGER', 'SELECT']) p
WHERE NOT pg_catalog.has_table_privilege(o.oid, p)
UNION ALL SELECT 'membership in the role ' || pg_catalog.pg_get_userbyid(o.relowner) || ', which owns table worker' FROM ours o
WHERE o.relname = 'worker' AND NOT pg_catalog.pg_has_role(o.relowner, 'USAGE')
ORDER BY 1`, in.oid, bun.List(referred)).Scan(ctx, &lacking)
	if err != nil {
		return fmt.Errorf("read privileges of schema %q: %w", in.name, explain(err))
	}
	if len(lacking) > 0 {
		return fmt.Errorf("schema %q: %w: %s; migrate as the owner of the schema and of its tables",
			in.name, ErrPrivilege, strings.Join(lacking, ", "))
	}
	return nil
}

// unfit finds columns of the platform that are missing, or whose types attune cannot read.
func (in *inspection) unfit() (found []Difference) {
	for _, table := range referred {
		if kind := in.relations[table].columns["id"]; !slices.Contains(keyTypes, kind) {
			found = append(found, Difference{Table: table, Column: "id", Is: kind, ShouldBe: keyTypes[0]})
		}
		for _, column := range sortedKeys(guestNeeds[table]) {
			kinds, kind := guestNeeds[table][column], in.relations[table].columns[column]
			switch {
			case kind == "":
				found = append(found, Difference{Table: table, Column: column, Is: "missing", ShouldBe: "a column"})
			case kinds != nil && !slices.Contains(kinds, kind):
				found = append(found, Difference{Table: table, Column: column, Is: kind, ShouldBe: kinds[0]})
			}
		}
	}
	return found
}

// orNone returns a list that SQL accepts after IN.
func orNone(list []string) []string {
	if len(list) == 0 {
		return []string{""}
	}
	return list
}

var (
	newFunction = lazy.Regexp(`CREATE FUNCTION \{schema\}\.(\w+)\(`)
	newTrigger  = lazy.Regexp(`CREATE TRIGGER (\w+) [^;]*? ON \{schema\}\.(\w+)\s`)
)

// guestFunctions returns the names of the functions that a migration creates in a guest, and with the
// first one those of the guards.
func guestFunctions(id string) []string {
	names := guestMatches(newFunction(), id)
	switch id {
	case UnifyRuntimes:
		for _, name := range guards.Postgres().Names() {
			if !strings.Contains(name, ".") {
				names = append(names, name)
			}
		}
	case WorkerRuntime:
		names = append(names, "attune_version_key")
	}
	return names
}

// guestTriggersOn returns the triggers that a migration creates in a guest, each behind its table.
func guestTriggersOn(id string) []string {
	names := guestMatches(newTrigger(), id)
	if id == UnifyRuntimes {
		for _, name := range guards.Postgres().Names() {
			if strings.Contains(name, ".") {
				names = append(names, name)
			}
		}
	}
	return names
}

// guestMatches returns what an expression finds in the file of a migration.
func guestMatches(expr *regexp.Regexp, id string) (names []string) {
	if id == Baseline {
		return nil
	}
	text, err := files.ReadFile(path.Join("guest", id+".up.sql"))
	if err != nil {
		panic(err) // the file is embedded
	}
	return matches(expr, string(text))
}

// matches returns what an expression finds in a text: its groups, the last one first, with dots between them.
func matches(expr *regexp.Regexp, text string) (names []string) {
	for _, m := range expr.FindAllStringSubmatch(text, -1) {
		groups := slices.Clone(m[1:])
		slices.Reverse(groups)
		names = append(names, strings.Join(groups, "."))
	}
	return names
}
