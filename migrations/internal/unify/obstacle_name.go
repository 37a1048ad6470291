package unify

import (
	"context"
	"fmt"
	"strings"
)

// nameObstacles returns objects of others under names that the migration needs.
func (s *session) nameObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	taken := func(name, reason, sql string) {
		found = append(found, Obstacle{Object: "name " + s.schema + "." + name, Reason: reason, SQL: sql})
	}
	for _, name := range []string{rowsTable, ledgerTable, catalogTable} {
		there, err := s.relation(ctx, name)
		if err != nil {
			return nil, err
		}
		if there != nil {
			taken(name, "the record of the unification needs this name",
				"ALTER TABLE "+s.record(name)+" RENAME TO "+ident(name+"_old")+";")
		}
	}
	for _, i := range newIndexes {
		there, err := s.relation(ctx, i.name)
		if err != nil {
			return nil, err
		}
		if there != nil && (there.Table != "runtime" || !strings.HasSuffix(there.Definition, i.definition)) {
			kind := "INDEX"
			if there.Table == "" {
				kind = "TABLE"
			}
			taken(i.name, "a new index needs this name",
				"ALTER "+kind+" "+s.record(i.name)+" RENAME TO "+ident(i.name+"_old")+";")
		}
	}
	versions, err := s.relation(ctx, versionTable)
	if err != nil {
		return nil, err
	}
	leftovers, err := s.leftovers(ctx, versions == nil)
	if found = append(found, leftovers...); err != nil || versions == nil {
		return found, err
	}
	if wrong := misfit(versions); wrong != "" {
		taken(versionTable, "it exists and does not fit: "+wrong,
			"ALTER TABLE "+s.record(versionTable)+" RENAME TO "+ident(versionTable+"_old")+";")
	}
	return found, nil
}

// leftovers returns indexes and other relations of others under the names of new keys. The keys of
// a renamed table keep their names.
func (s *session) leftovers(ctx context.Context, versions bool) ([]Obstacle, error) {
	var names []string
	if versions {
		names = append(names, "runtime_version_pkey", "runtime_version_runtime_version_key", "runtime_version_id_seq")
	}
	identity, err := s.addIdentity(ctx)
	if err != nil {
		return nil, err
	}
	if len(identity) > 0 {
		names = append(names, "worker_identity_key")
	}
	var found []Obstacle
	err = s.load(ctx, "find the names of keys", `
SELECT 'name ' || n.nspname || '.' || c.relname AS object,
  'a key that is needed has this name' || coalesce(', and so has one of table ' || i.indrelid::regclass, '') AS reason,
  format('ALTER %s %s RENAME TO %I;', CASE WHEN i.indexrelid IS NOT NULL THEN 'INDEX' WHEN c.relkind = 'S' THEN 'SEQUENCE'
      WHEN c.relkind = 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass, c.relname || '_old') AS sql
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE n.nspname = `+literal(s.schema)+` AND c.relname = ANY (`+array(names)+`) ORDER BY 1`, &found)
	return found, err
}

// misfit returns why a table cannot be runtime_version, or "".
func misfit(there *relationInfo) string {
	if there.Kind != "r" && there.Kind != "p" {
		return "it is not a table"
	}
	types := map[string]string{}
	for _, c := range there.Columns {
		types[c.Name] = c.Type
	}
	for _, c := range versionColumns {
		switch got := types[c.name]; {
		case got == "":
			return "column " + c.name + " is missing"
		case !fits(got, c.kind):
			return fmt.Sprintf("column %s must be %s, got %s", c.name, c.kind, got)
		}
	}
	return ""
}

// fits reports whether a column of type got accepts values of type want.
func fits(got, want string) bool {
	switch want {
	case "text":
		return got == "text" || strings.HasPrefix(got, "character varying")
	case "integer", "bigint":
		return got == "integer" || got == "bigint"
	}
	return got == want
}

// columnObstacles returns columns of others with the name of a new column and another type.
func (s *session) columnObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	for _, a := range additions {
		t := s.ownTable(a.table)
		if t == nil {
			return nil, fmt.Errorf("table %s is missing", qualified(s.schema, a.table))
		}
		if c, ok := t.column(a.column); ok && !fits(c.Type, a.kind) {
			found = append(found, Obstacle{Object: "column " + t.text() + "." + a.column,
				Reason: fmt.Sprintf("its type must be %s, got %s", a.kind, c.Type),
				SQL:    fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s;", t.sql(), ident(a.column), ident(a.column+"_old"))})
		}
	}
	worker := s.ownTable("worker")
	if !worker.has("identity") || !worker.CanRead {
		return found, nil
	}
	n, err := s.count(ctx, "find equal identities", fmt.Sprintf(
		"SELECT count(*) FROM (SELECT FROM %s WHERE identity IS NOT NULL GROUP BY identity HAVING count(*) > 1) q", worker.from()))
	if err != nil || n == 0 {
		return found, err
	}
	return append(found, Obstacle{Object: "column " + worker.text() + ".identity",
		Reason: fmt.Sprintf("it must be unique, but %d values occur in several rows", n),
		SQL: fmt.Sprintf("UPDATE %[1]s w SET identity = NULL WHERE EXISTS (SELECT FROM %[1]s o WHERE o.identity = w.identity AND o.id > w.id);",
			worker.sql())}), nil
}
