package unify

import (
	"context"
	"fmt"
)

// An addition is a column that only the unified schema has.
type addition struct {
	table, column, kind, rest string
}

var additions = []addition{
	{"runtime", "aliases", "jsonb", "NOT NULL DEFAULT '[]'"},
	{"runtime", "execution_config", "jsonb", "NOT NULL DEFAULT '{}'"},
	{"runtime", "digest", "text", ""},
	{"action", "runtime_version_constraint", "text", ""},
	{"sensor", "runtime_version_constraint", "text", ""},
	{"worker", "identity", "text", ""},
	{"worker", "instance", "text", ""},
	{"worker", "heartbeat_interval", "integer", ""},
}

// versionColumns holds the columns of runtime_version with their types.
var versionColumns = []struct{ name, kind, rest string }{
	{"id", "bigint", ""},
	{"runtime", "bigint", "NOT NULL"},
	{"version", "text", "NOT NULL"},
	{"sort_key", "text", `COLLATE "C" NOT NULL`},
	{"is_default", "boolean", "NOT NULL DEFAULT false"},
	{"distributions", "jsonb", "NOT NULL DEFAULT '{}'"},
	{"execution_config", "jsonb", "NOT NULL DEFAULT '{}'"},
	{"meta", "jsonb", "NOT NULL DEFAULT '{}'"},
	{"created", "timestamp with time zone", "NOT NULL DEFAULT now()"},
	{"updated", "timestamp with time zone", "NOT NULL DEFAULT now()"},
}

// addColumns returns the changes that add the columns of the unified schema. Existing columns
// stay as they are.
func (s *session) addColumns() []Change {
	var changes []Change
	for _, a := range additions {
		if t := s.ownTable(a.table); !t.has(a.column) {
			alter := "ALTER TABLE " + t.sql() + " "
			changes = append(changes, Change{
				Action: "add", Object: "column " + a.table + "." + a.column,
				Do:   alter + "ADD COLUMN " + ident(a.column) + " " + a.kind + " " + a.rest,
				Undo: alter + "DROP COLUMN " + ident(a.column),
			})
		}
	}
	return changes
}

// loosen returns the changes after which (ref, name, distributions) is enough to insert a
// runtime.
func (s *session) loosen() []Change {
	table := s.runtime.sql()
	var changes []Change
	alter := func(column, do, undo string) {
		to := "ALTER TABLE " + table + " ALTER COLUMN " + ident(column) + " "
		changes = append(changes, Change{Action: "change", Object: "column runtime." + column, Do: to + do, Undo: to + undo})
	}
	if c, ok := s.runtime.column("distributions"); ok && c.Default != "'{}'::jsonb" {
		undo := "DROP DEFAULT"
		if c.Default != "" {
			undo = "SET DEFAULT " + c.Default
		}
		alter("distributions", "SET DEFAULT '{}'", undo)
	}
	for _, name := range []string{"pack", "pack_ref", "description", "installation"} {
		if c, ok := s.runtime.column(name); ok && c.NotNull && c.Default == "" && !c.Generated {
			alter(name, "DROP NOT NULL", "SET NOT NULL")
		}
	}
	return changes
}

func (s *session) addIdentity(ctx context.Context) ([]Change, error) {
	t := s.ownTable("worker")
	n, err := s.count(ctx, "find a unique key on worker.identity", fmt.Sprintf(`
SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'identity'
WHERE i.indrelid = %d AND i.indisunique AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum AND i.indpred IS NULL`, t.OID))
	if err != nil || n > 0 {
		return nil, err
	}
	return []Change{{
		Action: "add", Object: "unique key worker_identity_key",
		Do:   "ALTER TABLE " + t.sql() + " ADD CONSTRAINT worker_identity_key UNIQUE (identity)",
		Undo: "ALTER TABLE " + t.sql() + " DROP CONSTRAINT IF EXISTS worker_identity_key",
	}}, nil
}

func (s *session) addVersions(ctx context.Context) ([]Change, error) {
	if found, err := s.relation(ctx, versionTable); err != nil || found != nil {
		return nil, err
	}
	table := qualified(s.schema, versionTable)
	do := "CREATE TABLE " + table + " (\n"
	for _, c := range versionColumns {
		if c.name == "id" {
			c.kind = "bigserial"
		}
		do += "  " + c.name + " " + c.kind + " " + c.rest + ",\n"
	}
	do += "  CONSTRAINT runtime_version_pkey PRIMARY KEY (id),\n" +
		"  CONSTRAINT runtime_version_runtime_fkey FOREIGN KEY (runtime) REFERENCES " + s.runtime.sql() + " (id) ON DELETE CASCADE,\n" +
		"  CONSTRAINT runtime_version_runtime_version_key UNIQUE (runtime, version)\n);\n" +
		"ALTER TABLE " + table + " OWNER TO " + ident(s.runtime.Owner)
	grants, err := s.copyGrants(ctx)
	if err != nil {
		return nil, err
	}
	return []Change{{Action: "add", Object: "table " + versionTable, Do: do + grants, Undo: "DROP TABLE " + table}}, nil
}

// copyGrants returns statements that grant on runtime_version what is granted on runtime.
func (s *session) copyGrants(ctx context.Context) (string, error) {
	var found []grant
	err := s.load(ctx, "read the privileges on runtime", fmt.Sprintf(`
SELECT CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END AS grantee, x.privilege_type AS privilege,
  x.is_grantable AS option
FROM pg_class c CROSS JOIN aclexplode(c.relacl) x WHERE c.oid = %d AND x.grantee <> c.relowner ORDER BY 1, 2`, s.runtime.OID), &found)
	if err != nil {
		return "", err
	}
	var text string
	for _, g := range found {
		text += g.sql("{privilege} ON " + qualified(s.schema, versionTable))
		if g.Privilege == "INSERT" {
			g.Privilege = "USAGE"
			text += g.sql("{privilege} ON SEQUENCE " + qualified(s.schema, "runtime_version_id_seq"))
		}
	}
	return text, nil
}

// A relationInfo is a table, index or other relation of the schema.
type relationInfo struct {
	Kind       string   `json:"kind"`
	Table      string   `json:"relation"`
	Definition string   `json:"definition"`
	Columns    []column `json:"columns"`
}

// relation returns the relation with a name, or nil if the name is free.
func (s *session) relation(ctx context.Context, name string) (*relationInfo, error) {
	var found []relationInfo
	err := s.load(ctx, "find "+name, `
SELECT c.relkind::text AS kind, coalesce(t.relname, '') AS relation,
  CASE WHEN i.indexrelid IS NOT NULL THEN pg_get_indexdef(c.oid) ELSE '' END AS definition,
  (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)))
   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid
WHERE n.nspname = `+literal(s.schema)+` AND c.relname = `+literal(name), &found)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// newIndexes lists the indexes of the unified schema. on follows the table in CREATE INDEX.
// definition is the end of pg_get_indexdef for an index that fits.
var newIndexes = []struct{ name, on, definition string }{
	{"idx_runtime_name", "(name)", "USING btree (name)"},
	{"idx_runtime_verification", "USING gin ((distributions -> 'verification'))", "USING gin (((distributions -> 'verification'::text)))"},
}

func (s *session) addIndexes(ctx context.Context) ([]Change, error) {
	var changes []Change
	for _, i := range newIndexes {
		found, err := s.relation(ctx, i.name)
		if err != nil {
			return nil, err
		}
		if found != nil {
			continue
		}
		changes = append(changes, Change{
			Action: "add", Object: "index " + i.name,
			Do:   "CREATE INDEX " + ident(i.name) + " ON " + s.runtime.sql() + " " + i.on,
			Undo: "DROP INDEX IF EXISTS " + qualified(s.schema, i.name),
		})
	}
	return changes, nil
}

const formatCheck = "runtime_ref_format"

// addCheck returns the change that checks refs as pack.name.
func (s *session) addCheck() []Change {
	return []Change{{
		Action: "add", Object: "check " + formatCheck, Early: true,
		Do: fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (ref ~ %s OR ref = %s)",
			s.runtime.sql(), formatCheck, literal(unifiedForm), literal(builtinRef)),
		Undo: "ALTER TABLE " + s.runtime.sql() + " DROP CONSTRAINT IF EXISTS " + formatCheck,
	}}
}
