package unify

import (
	"context"
	"fmt"
	"strings"
)

// An Obstacle is something that prevents the migration and must be cleared by hand.
type Obstacle struct {
	// Object names the object: table attune.sensor.
	Object string `json:"object"`
	Reason string `json:"reason"`
	// SQL clears the obstacle. Its comments tell what to do afterwards.
	SQL string `json:"sql"`
}

// obstacles returns everything that prevents Up. Rows are read only if all of them are visible.
func (s *session) obstacles(ctx context.Context) ([]Obstacle, error) {
	found := s.tableObstacles()
	steps := []func(context.Context) ([]Obstacle, error){
		s.createObstacles, s.inheritObstacles, s.ruleObstacles, s.publicationObstacles, s.nameObstacles, s.columnObstacles, s.typeObstacles}
	found = append(found, s.keyObstacles()...)
	for _, step := range steps {
		more, err := step(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	if !s.runtime.CanRead || s.runtime.Hidden {
		return found, nil
	}
	more, err := s.rowObstacles(ctx)
	return append(found, more...), err
}

// rowObstacles returns the obstacles in rows. A ref of no known form ends the search, because it is
// unknown what it would become.
func (s *session) rowObstacles(ctx context.Context) ([]Obstacle, error) {
	found, err := s.formObstacles(ctx)
	if err != nil || len(found) > 0 {
		return found, err
	}
	for _, step := range []func(context.Context) ([]Obstacle, error){
		s.packObstacles, s.runtimeCheckObstacles, s.uniqueObstacles, s.checkObstacles, s.partitionObstacles} {
		more, err := step(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// tableObstacles returns missing privileges on tables, and tables with hidden rows.
func (s *session) tableObstacles() []Obstacle {
	var found []Obstacle
	for _, t := range s.tables {
		if reason := s.mustOwn(t); reason != "" && !t.Owned {
			found = append(found, Obstacle{
				Object: "table " + t.text(), Reason: "only its owner, " + t.Owner + ", may " + reason,
				SQL: "GRANT " + ident(t.Owner) + " TO CURRENT_USER; -- as a superuser, with the role's name for CURRENT_USER; or migrate as " + t.Owner,
			})
			continue
		}
		if !t.CanRead || !t.CanUpdate {
			found = append(found, Obstacle{
				Object: "table " + t.text(), Reason: "the current role may not read and update it",
				SQL: fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO CURRENT_USER; -- as its owner, with the role's name for CURRENT_USER\n"+
					"GRANT SELECT, UPDATE ON %s TO CURRENT_USER;",
					ident(t.Schema), t.sql()),
			})
			continue
		}
		if t.Hidden {
			found = append(found, Obstacle{
				Object: "table " + t.text(),
				Reason: "row level security hides rows from the current role, and hidden rows would be left behind",
				SQL: fmt.Sprintf("ALTER TABLE %[1]s NO FORCE ROW LEVEL SECURITY;\n"+
					"-- or migrate as its owner or as a role with BYPASSRLS\n"+
					"-- afterwards: ALTER TABLE %[1]s FORCE ROW LEVEL SECURITY;", t.sql()),
			})
		}
	}
	return found
}

// mustOwn returns why the current role must own the table, or "" if it need not.
func (s *session) mustOwn(t *table) string {
	if t.isOwn(s.schema) && t.Name != "pack" {
		return "change its columns"
	}
	if len(t.Triggers) > 0 {
		return "keep its triggers from firing: " + list(t.Triggers, ", ", func(tg trigger) string { return tg.Name })
	}
	for _, r := range s.references {
		if r.table == t && len(r.Unindexed) > 0 && !r.isSelf(s.runtime) {
			return "create the temporary index on " + r.column() + ", without which each deletion would read the whole table"
		}
	}
	return ""
}

// createObstacles returns the schemas in which a table or index must be created and cannot.
func (s *session) createObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	seen := map[string]bool{}
	need := func(schema string, can bool, what string) {
		if !can && !seen[schema] {
			seen[schema] = true
			found = append(found, Obstacle{Object: "schema " + schema, Reason: "the current role may not create " + what + " in it",
				SQL: "GRANT CREATE ON SCHEMA " + ident(schema) + " TO CURRENT_USER; -- as its owner, with the role's name for CURRENT_USER"})
		}
	}
	need(s.runtime.Schema, s.runtime.CanCreate, "tables")
	for _, r := range s.references {
		for _, p := range r.Unindexed {
			need(p.Schema, p.CanCreate, "a temporary index")
			if !p.Owned && r.table.Owned {
				found = append(found, Obstacle{Object: "table " + p.Schema + "." + p.Name,
					Reason: "only its owner, " + p.Owner + ", may create the temporary index on " + r.column() + " that its partitioned table needs",
					SQL: "GRANT " + ident(p.Owner) + " TO CURRENT_USER; -- as a superuser, with the role's name for CURRENT_USER; " +
						"or migrate as " + p.Owner})
			}
		}
	}
	return found, nil
}

// keyObstacles returns the keys to runtime that cannot be re-pointed.
func (s *session) keyObstacles() []Obstacle {
	var found []Obstacle
	for _, r := range s.references {
		object := fmt.Sprintf("key %s of table %s", r.Name, r.table.text())
		drop := fmt.Sprintf("ALTER TABLE %[1]s DROP CONSTRAINT %[2]s;\n-- it was: ALTER TABLE %[1]s ADD CONSTRAINT %[2]s %[3]s;",
			r.table.sql(), ident(r.Name), r.Definition)
		switch c, _ := r.table.column(r.column()); {
		case len(r.Columns) > 1:
			found = append(found, Obstacle{object, "it refers to several columns of runtime: " + strings.Join(r.To, ", "), drop})
		case !r.isSimple():
			reason := "it refers to runtime." + r.To[0] + ", which is changed or dropped; only keys to runtime.id are re-pointed"
			found = append(found, Obstacle{object, reason, drop})
		case c.Generated:
			found = append(found, Obstacle{object, "its column " + c.Name + " is generated, so it cannot be re-pointed", drop})
		}
	}
	return found
}

// ruleObstacles returns rewrite rules, which would change the meaning of an UPDATE.
func (s *session) ruleObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	err := s.load(ctx, "find rules", `
SELECT 'rule ' || r.rulename || ' of table ' || n.nspname || '.' || c.relname AS object,
  'it rewrites statements on the table, so what is written would not be what was said' AS reason,
  format(E'ALTER TABLE %1$s DISABLE RULE %2$I;\n-- afterwards: ALTER TABLE %1$s ENABLE%3$s RULE %2$I;', c.oid::regclass, r.rulename,
    CASE r.ev_enabled WHEN 'R' THEN ' REPLICA' WHEN 'A' THEN ' ALWAYS' ELSE '' END) AS sql
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.ev_class IN (`+s.oids()+`) AND r.ev_type IN ('2', '3', '4') AND r.ev_enabled <> 'D'
ORDER BY 1`, &found)
	return found, err
}

// inheritObstacles returns tables that share runtime's columns or rows by inheritance.
func (s *session) inheritObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	err := s.load(ctx, "find tables that inherit", fmt.Sprintf(`
SELECT 'table ' || i.inhrelid::regclass AS object, 'it inherits from ' || i.inhparent::regclass || ', and runtime must stand alone' AS reason,
  format(E'ALTER TABLE %%1$s NO INHERIT %%2$s;', i.inhrelid::regclass, i.inhparent::regclass) AS sql
FROM pg_inherits i WHERE %[1]d IN (i.inhparent, i.inhrelid) ORDER BY 1`, s.runtime.OID), &found)
	return found, err
}

// publicationObstacles returns published tables without a replica identity, for which Postgres
// refuses every UPDATE.
func (s *session) publicationObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	err := s.load(ctx, "find publications", `
SELECT DISTINCT 'table ' || n.nspname || '.' || c.relname AS object,
  'it is published without a replica identity, so its rows cannot be updated' AS reason,
  format(E'ALTER TABLE %1$s REPLICA IDENTITY FULL;\n-- afterwards: ALTER TABLE %1$s REPLICA IDENTITY %2$s;', c.oid::regclass,
    CASE c.relreplident WHEN 'n' THEN 'NOTHING' ELSE 'DEFAULT' END) AS sql
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_publication_tables t ON t.schemaname = n.nspname AND t.tablename = c.relname
JOIN pg_publication p ON p.pubname = t.pubname AND (p.pubupdate OR p.pubdelete)
WHERE (c.oid IN (`+s.oids()+`) OR c.oid IN (SELECT tree.relid FROM unnest(ARRAY[`+s.oids()+`]::oid[]) o CROSS JOIN pg_partition_tree(o) tree))
  AND c.relkind = 'r' AND (c.relreplident = 'n' OR c.relreplident = 'd'
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
ORDER BY 1`, &found)
	return found, err
}

// oids returns the OIDs of all tables that are written to.
func (s *session) oids() string {
	return list(s.tables, ", ", func(t *table) string { return fmt.Sprint(t.OID) })
}
