package unify

import (
	"context"
	"fmt"
	"strings"
)

// formObstacles returns refs in none of the known forms: the legacy form, the builtin's ref, and the
// unified form if another migration has been at work.
func (s *session) formObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	err := s.load(ctx, "find refs of no known form", fmt.Sprintf(`
SELECT 'runtime ' || r.id || ', ' || r.ref AS object, 'its ref is not pack.action.name or pack.sensor.name' AS reason,
  format('UPDATE %%s SET ref = %%L WHERE id = %%s; -- or the name that it should have', %s, coalesce(
    (SELECT p.ref FROM %s p WHERE p.id = r.pack), 'core') || '.' || %s || '.' || lower(regexp_replace(r.ref, '[.]', '_', 'g')), r.id) AS sql
FROM %s r WHERE r.ref !~ %s ORDER BY r.id`,
		literal(s.runtime.sql()), s.ownTable("pack").sql(), "r."+typeColumn+"::text", s.runtime.from(), literal(legacyForm)), &found)
	return found, err
}

// packObstacles returns runtimes whose rows belong to different packs.
func (s *session) packObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	err := s.load(ctx, "find conflicting packs", fmt.Sprintf(`
WITH m AS (%[1]s)
SELECT 'runtimes ' || string_agg(m.ref || ' (' || m.id || ')', ', ' ORDER BY m.id) AS object,
  'they would become ' || m.became_ref || ', and belong to different packs: ' || string_agg(coalesce(r.pack::text, 'none'), ', ' ORDER BY m.id) AS reason,
  format(E'UPDATE %%1$s r SET pack = s.pack, pack_ref = s.pack_ref FROM %%1$s s WHERE s.id = %%2$s AND r.id IN (%%3$s); -- or rename one of them',
    %[2]s, m.became, string_agg(m.id::text, ', ' ORDER BY m.id) FILTER (WHERE m.id <> m.became)) AS sql
FROM m JOIN %[3]s r ON r.id = m.id GROUP BY m.became, m.became_ref HAVING count(DISTINCT r.pack) > 1 ORDER BY m.became`,
		s.targets(), literal(s.runtime.sql()), s.runtime.from()), &found)
	return found, err
}

// runtimeCheckObstacles returns checks on runtime that unified rows would violate, apart from the
// form of legacy refs.
func (s *session) runtimeCheckObstacles(ctx context.Context) ([]Obstacle, error) {
	var checks []constraint
	if err := s.load(ctx, "read the checks of runtime", s.constraints("c.contype = 'c'"), &checks); err != nil {
		return nil, err
	}
	broken, err := s.brokenChecks(ctx)
	if err != nil {
		return nil, err
	}
	goes := map[string]bool{}
	for _, c := range broken {
		goes[c.Name] = true
	}
	columns := list(s.runtime.Columns, ", ", func(c column) string {
		for _, name := range mergedColumns {
			if c.Name == name && !c.Generated {
				return decode("m.merged", c) + " AS " + ident(c.Name)
			}
		}
		return "r." + ident(c.Name)
	})
	rows := fmt.Sprintf("(SELECT %s FROM (%s) m JOIN %s r ON r.id = m.id WHERE m.rank = 1) runtime", columns, s.merge(), s.runtime.from())
	var found []Obstacle
	for _, c := range checks {
		if goes[c.Name] || overlaps(c.Columns, []string{typeColumn}) || !overlaps(c.Columns, mergedColumns) {
			continue
		}
		n, err := s.count(ctx, "try check "+c.Name, "SELECT count(*) FROM "+rows+" WHERE NOT ("+c.Expression+")")
		if err != nil {
			return nil, err
		}
		if n > 0 {
			found = append(found, checkObstacle(s.runtime, c, n))
		}
	}
	return found, nil
}

func checkObstacle(t *table, c constraint, n int64) Obstacle {
	return Obstacle{Object: fmt.Sprintf("check %s of table %s", c.Name, t.text()),
		Reason: fmt.Sprintf("%d rows would violate it", n),
		SQL: fmt.Sprintf("ALTER TABLE %[1]s DROP CONSTRAINT %[2]s;\n-- it was: ALTER TABLE %[1]s ADD CONSTRAINT %[2]s %[3]s;",
			t.sql(), ident(c.Name), c.Definition)}
}

func overlaps(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

// referencesOf returns the keys of a table that can be re-pointed.
func (s *session) referencesOf(t *table) []*reference {
	var of []*reference
	for _, r := range s.references {
		if c, _ := t.column(r.column()); r.table == t && r.isSimple() && !c.Generated && !r.isSelf(s.runtime) {
			of = append(of, r)
		}
	}
	return of
}

// simulatedRows returns a SELECT of a table's rows as they will be, under the table's name.
// attune_moved reports whether a row changes, and attune_ctid and attune_table are its place.
func (s *session) simulatedRows(t *table) string {
	replaced, joins, moved := map[string]string{}, "", []string{}
	for i, r := range s.referencesOf(t) {
		u, column := fmt.Sprintf("u%d", i), "t."+ident(r.column())
		c, _ := t.column(r.column())
		joins += fmt.Sprintf(" LEFT JOIN attune_map %[1]s ON %[1]s.id = %[2]s", u, column)
		replaced[r.column()] = fmt.Sprintf("coalesce(%s.became, %s)::%s", u, column, c.Type)
		moved = append(moved, fmt.Sprintf("%[1]s.became <> %[1]s.id", u))
		if r.refColumn != "" {
			ref := "t." + ident(r.refColumn)
			rc, _ := t.column(r.refColumn)
			replaced[r.refColumn] = fmt.Sprintf("(CASE WHEN %[1]s IS NOT NULL THEN "+
				"coalesce(%[2]s.became_ref, CASE WHEN %[3]s IS NULL THEN %[4]s ELSE %[1]s END) END)::%[5]s",
				ref, u, column, target(ref+"::text"), rc.Type)
			moved = append(moved, ref+" <> "+replaced[r.refColumn])
		}
	}
	for _, r := range s.looseOf(t) {
		c, _ := t.column(r.column())
		replaced[c.Name] = fmt.Sprintf("(%s)::%s", target("t."+ident(c.Name)+"::text"), c.Type)
		moved = append(moved, oldText(r))
	}
	return fmt.Sprintf("(SELECT %s, coalesce(%s, false) AS attune_moved, t.ctid AS attune_ctid, t.tableoid AS attune_table FROM %s t%s) %s",
		list(t.Columns, ", ", func(c column) string {
			if value, ok := replaced[c.Name]; ok {
				return value + " AS " + ident(c.Name)
			}
			return "t." + ident(c.Name)
		}), "("+strings.Join(moved, ") OR (")+")", t.from(), joins, ident(t.Name))
}

// withMap returns the beginning of a statement that reads simulated rows.
func (s *session) withMap() string {
	return "WITH attune_map AS MATERIALIZED (" + s.targets() + ") "
}

// checkObstacles returns checks on other tables that re-pointed rows would violate.
func (s *session) checkObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	for _, t := range s.tables {
		if len(s.referencesOf(t)) == 0 || !t.isUsable() {
			continue
		}
		var checks []constraint
		err := s.load(ctx, "read the checks of "+t.text(), strings.Replace(s.constraints("c.contype = 'c'"),
			fmt.Sprintf("c.conrelid = %d", s.runtime.OID), fmt.Sprintf("c.conrelid = %d", t.OID), 1), &checks)
		if err != nil {
			return nil, err
		}
		for _, c := range checks {
			if !overlaps(c.Columns, s.repointedColumns(t)) {
				continue
			}
			n, err := s.count(ctx, "try check "+c.Name,
				s.withMap()+"SELECT count(*) FROM "+s.simulatedRows(t)+" WHERE attune_moved AND NOT ("+c.Expression+")")
			if err != nil {
				return nil, err
			}
			if n > 0 {
				found = append(found, checkObstacle(t, c, n))
			}
		}
	}
	return found, nil
}

// repointedColumns returns the columns of a table that are re-pointed.
func (s *session) repointedColumns(t *table) []string {
	var names []string
	for _, r := range s.referencesOf(t) {
		names = append(names, r.column())
		if r.refColumn != "" {
			names = append(names, r.refColumn)
		}
	}
	for _, r := range s.looseOf(t) {
		names = append(names, r.column())
	}
	return names
}
