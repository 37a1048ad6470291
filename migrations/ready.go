package migrations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/guards"
	"github.com/attune-go/attune/migrations/internal/lazy"
)

// legacyNeeds maps the legacy tables to the columns, besides their signatures, that the migrations up to SafeFunctions read.
var legacyNeeds = map[string][]string{
	"pack":    {"created", "updated"},
	"runtime": {"created", "updated"},
	"worker":  {"worker_role", "host", "meta", "last_heartbeat", "created", "updated"},
}

var (
	relationName = lazy.Regexp(`CREATE (?:TABLE|VIEW) \{schema\}\.(\w+)`)
	madeFunction = lazy.Regexp(`CREATE (?:OR REPLACE )?FUNCTION \{schema\}\.(\w+)\(`)
)

// checkOwnReady returns an error for what prevents pending migrations of a database of attune's own on Postgres: columns
// that are missing and names that are taken. Relations and what unifying needs are looked for elsewhere.
func (m *Migrator) checkOwnReady(ctx context.Context, db bun.IDB, in *inspection) error {
	if in.file {
		return nil
	}
	var findings []string
	if in.state != StateEmpty && !in.isRecorded(SafeFunctions) {
		for _, table := range sortedKeys(legacyNeeds) {
			for _, column := range legacyNeeds[table] {
				if !in.has(table, column) {
					findings = append(findings, fmt.Sprintf("table %s lacks %s", table, column))
				}
			}
		}
	}
	var relations, functions, triggers, made []string
	if in.relations[recordTable] == nil {
		relations = append(relations, recordTable)
	}
	if !in.isRecorded(UnifyRuntimes) {
		relations = append(relations, versionTable, archiveTable, archiveTable+"_ledger", archiveTable+"_catalog")
	}
	for _, s := range m.steps {
		if in.isRecorded(s.id) {
			made = append(made, matches(madeFunction(), s.up)...)
			made = append(made, matches(newTrigger(), s.up)...)
			continue
		}
		if s.id != Baseline {
			relations = append(relations, matches(relationName(), s.up)...)
		}
		functions = append(functions, matches(newFunction(), s.up)...)
		triggers = append(triggers, matches(newTrigger(), s.up)...)
		if s.id == UnifyRuntimes {
			functions = append(functions, guards.Postgres().Names()...)
			triggers = append(triggers, guards.Postgres().Names()...)
		}
	}
	isMade := func(name string) bool { return slices.Contains(made, name) }
	unreferable, err := in.unreferable(ctx, db, []string{"runtime", "worker"})
	if err != nil {
		return err
	}
	taken, err := in.takenNames(ctx, db, relations, slices.DeleteFunc(functions, isMade), slices.DeleteFunc(triggers, isMade))
	if err != nil {
		return err
	}
	if findings = slices.Concat(findings, unreferable, taken); len(findings) > 0 {
		return &StateError{Schema: in.name, kind: ErrMixed, Findings: findings}
	}
	return nil
}

// unreferable finds tables of a list to which attune's tables cannot refer.
func (in *inspection) unreferable(ctx context.Context, db bun.IDB, tables []string) (findings []string, err error) {
	var found struct {
		Keys     []string `bun:",array"`
		Unlogged []string `bun:",array"`
	}
	err = db.NewRaw(`
WITH ours AS (SELECT c.oid, c.relname, c.relpersistence FROM pg_catalog.pg_class c WHERE c.relnamespace = ?0 AND c.relname IN (?1))
SELECT ARRAY(SELECT o.relname::pg_catalog.text FROM ours o WHERE NOT EXISTS (
           SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid AND a.attnum = i.indkey[0]
           WHERE i.indrelid = o.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1 AND a.attname = 'id')
         ORDER BY 1) AS keys,
       ARRAY(SELECT o.relname::pg_catalog.text FROM ours o WHERE o.relpersistence <> 'p' ORDER BY 1) AS unlogged`,
		in.oid, bun.List(tables)).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("read keys of schema %q: %w", in.name, explain(err))
	}
	if len(found.Keys) > 0 {
		findings = append(findings, "without a unique key (id): table "+strings.Join(found.Keys, ", "))
	}
	if len(found.Unlogged) > 0 {
		findings = append(findings, "unlogged, so that no other table can refer to it: table "+strings.Join(found.Unlogged, ", "))
	}
	return findings, nil
}

// takenNames finds types with the names of new relations, and functions and triggers with the names of new ones.
func (in *inspection) takenNames(ctx context.Context, db bun.IDB, relations, functions, triggers []string) (findings []string, err error) {
	err = db.NewRaw(`
SELECT 'the name of the ' || name || ' is taken, and attune needs it' FROM (
    SELECT 'type ' || t.typname FROM pg_catalog.pg_type t WHERE t.typnamespace = ?0 AND t.typrelid = 0 AND t.typname IN (?1)
    UNION ALL SELECT 'function ' || p.proname FROM pg_catalog.pg_proc p WHERE p.pronamespace = ?0 AND p.proname IN (?2)
    UNION ALL SELECT 'trigger ' || t.tgname || ' of table ' || c.relname
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = ?0 AND c.relname || '.' || t.tgname IN (?3)) found (name) ORDER BY name`,
		in.oid, bun.List(orNone(relations)), bun.List(orNone(functions)), bun.List(orNone(triggers))).Scan(ctx, &findings)
	if err != nil {
		return nil, fmt.Errorf("read types, functions and triggers of schema %q: %w", in.name, explain(err))
	}
	return findings, nil
}
