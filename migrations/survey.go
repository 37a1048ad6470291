package migrations

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// defaultSchema takes new tables on Postgres. sqliteSchema is the only schema of a SQLite
// database.
const (
	defaultSchema = "public"
	sqliteSchema  = "main"
)

// relationNames returns the names of relations that a survey looks for.
var relationNames = sync.OnceValue(func() []string {
	names := slices.Concat(installed, []string{
		versionTable, recordTable, archiveTable, archiveTable + "_ledger", archiveTable + "_catalog",
		workerRuntimeTable, changeTable, sweepTable,
	}, fleetNames, labelRelations, operatorRelations, serverTables, guestNames())
	for _, indexes := range ownIndexes() {
		names = append(names, indexes...)
	}
	slices.Sort(names)
	return names
})

// enumNames lists the enums that a survey looks for.
var enumNames = []string{legacyEnum, enumWorkerType, enumStatus, enumRole}

// survey returns attune's names in every schema of the database, sorted by schema.
func survey(ctx context.Context, db bun.IDB) ([]*space, error) {
	if db.Dialect().Name() == dialect.SQLite {
		return surveySQLite(ctx, db)
	}
	return surveyPostgres(ctx, db)
}

// surveyPostgres reads only the catalog, so it needs no privilege on any table. Every name in its
// query is qualified, so it does not depend on the search_path or on temporary tables. Every command asks
// it, and joins would read all columns of the database.
func surveyPostgres(ctx context.Context, db bun.IDB) ([]*space, error) {
	var rows []struct {
		OID     int64
		Schema  string
		Usable  bool
		Rel     *int64
		Name    *string
		Kind    *string
		Columns []string `bun:"columns,array"`
		Types   []string `bun:"types,array"`
	}
	err := db.NewRaw(`
SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       a.columns, a.types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN (?)
LEFT JOIN LATERAL (
	SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) AS columns,
	       pg_catalog.array_agg((SELECT t.typname::pg_catalog.text FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid) ORDER BY a.attnum) AS types
	FROM pg_catalog.pg_attribute a
	WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS a ON true
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname`, bun.List(relationNames())).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	var spaces []*space
	for _, r := range rows {
		if len(spaces) == 0 || spaces[len(spaces)-1].oid != r.OID {
			spaces = append(spaces, newSpace(r.OID, r.Schema, r.Usable))
		}
		if r.Rel == nil {
			continue
		}
		rel := &relation{oid: *r.Rel, table: *r.Kind == "r" || *r.Kind == "p", columns: map[string]string{}}
		for i, c := range r.Columns {
			rel.columns[c] = r.Types[i]
		}
		spaces[len(spaces)-1].relations[*r.Name] = rel
	}
	return spaces, surveyEnums(ctx, db, spaces)
}

func surveyEnums(ctx context.Context, db bun.IDB, spaces []*space) error {
	var rows []struct {
		OID    int64
		Name   string
		Labels []string `bun:"labels,array"`
	}
	err := db.NewRaw(`
SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN (?)
GROUP BY t.typnamespace, t.typname`, bun.List(enumNames)).Scan(ctx, &rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, s := range spaces {
			if s.oid == r.OID {
				s.enums[r.Name] = r.Labels
			}
		}
	}
	return nil
}

func surveySQLite(ctx context.Context, db bun.IDB) ([]*space, error) {
	var rows []struct{ Name, Kind, Column, Type string }
	err := db.NewRaw(`
SELECT m.name, m.type AS kind, c.name AS "column", c.type
FROM main.sqlite_master m, pragma_table_info(m.name, 'main') c
WHERE m.type IN ('table', 'view') AND m.name IN (?)`, bun.List(relationNames())).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	s := newSpace(0, sqliteSchema, true)
	for _, r := range rows {
		if s.relations[r.Name] == nil {
			s.relations[r.Name] = &relation{table: r.Kind == "table", columns: map[string]string{}}
		}
		s.relations[r.Name].columns[r.Column] = r.Type
	}
	return []*space{s}, nil
}

func newSpace(oid int64, name string, usable bool) *space {
	return &space{oid: oid, name: name, usable: usable, relations: map[string]*relation{}, enums: map[string][]string{}}
}

// classifyPostgres distinguishes legacy from unified schemas, and collects what fits neither.
func (in *inspection) classifyPostgres() {
	in.state = StateUnified
	kind, legacy := "", false
	if r := in.relations["runtime"]; r != nil {
		kind, legacy = r.columns[legacyColumn], in.has("runtime", legacyColumn)
	}
	enum, hasEnum := in.enums[legacyEnum]
	switch {
	case legacy:
		in.state = StateLegacy
		if kind != legacyEnum {
			in.find("runtime.%s must be of type %s, got %s", legacyColumn, legacyEnum, kind)
		}
		if !hasEnum && kind != legacyEnum {
			in.find("the type %s is missing", legacyEnum)
		}
		if hasEnum && !slices.Equal(enum, []string{"action", "sensor"}) {
			in.find("the type %s must have the values action and sensor, got %s", legacyEnum, strings.Join(enum, ", "))
		}
		if in.relations[archiveTable] != nil {
			in.find("runtime has %s, but %s exists, which belongs to unified schemas only", legacyColumn, archiveTable)
		}
		if in.isRecorded(UnifyRuntimes) {
			in.find("runtime has %s, but %s is recorded as applied", legacyColumn, UnifyRuntimes)
		}
	case hasEnum && len(in.records) == 0:
		// Others may create a type of that name once attune is there.
		in.find("the type %s exists, but runtime has no %s", legacyEnum, legacyColumn)
	}
	if in.isRecorded(UnifyRuntimes) && !in.isRecorded(Baseline) {
		in.find("%s is recorded, but %s is not", UnifyRuntimes, Baseline)
	}
}
