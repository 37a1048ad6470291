package unify

import (
	"context"
	"fmt"
	"strings"
)

// A constraint is one of runtime's checks or unique keys.
type constraint struct {
	Name       string   `json:"name"`
	Columns    []string `json:"columns"`
	Definition string   `json:"definition"`
	Expression string   `json:"expression"`
	Comment    *string  `json:"comment"`
}

// legacyDrops returns the changes that remove the legacy form: the checks on ref that unified refs
// violate, the column runtime_type with everything that depends on it alone, and its enum.
func (s *session) legacyDrops(ctx context.Context) ([]Change, error) {
	checks, err := s.brokenChecks(ctx)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for _, c := range checks {
		changes = append(changes, s.dropConstraint(c))
	}
	column, err := s.dropColumn(ctx)
	if err != nil {
		return nil, err
	}
	return append(changes, column...), nil
}

func (s *session) dropConstraint(c constraint) Change {
	table := s.runtime.sql()
	return Change{
		Action: "drop", Object: "check " + c.Name,
		Do:   "ALTER TABLE " + table + " DROP CONSTRAINT " + ident(c.Name),
		Undo: s.addConstraint(c),
	}
}

func (s *session) addConstraint(c constraint) string {
	table := s.runtime.sql()
	return "ALTER TABLE " + table + " ADD CONSTRAINT " + ident(c.Name) + " " + c.Definition +
		comment("CONSTRAINT "+ident(c.Name)+" ON "+table, c.Comment)
}

// comment returns a statement that sets a comment, to follow another statement.
func comment(on string, text *string) string {
	if text == nil {
		return ""
	}
	return ";\nCOMMENT ON " + on + " IS " + literal(*text)
}

// brokenChecks returns the checks on ref alone that refuse a unified ref.
func (s *session) brokenChecks(ctx context.Context) ([]constraint, error) {
	var checks, broken []constraint
	err := s.load(ctx, "read the checks of runtime", s.constraints(`c.contype = 'c'
  AND c.conkey = ARRAY[(SELECT attnum FROM pg_attribute WHERE attrelid = c.conrelid AND attname = 'ref')]`), &checks)
	if err != nil {
		return nil, err
	}
	for _, c := range checks {
		n, err := s.count(ctx, "try check "+c.Name, fmt.Sprintf(
			`SELECT count(*) FROM (SELECT 'core.python'::%s AS ref) runtime WHERE NOT (%s)`, s.typeOf("ref"), c.Expression))
		if err != nil {
			return nil, err
		}
		if n > 0 || c.Name == formatCheck {
			broken = append(broken, c)
		}
	}
	return broken, nil
}

func (s *session) typeOf(name string) string {
	c, _ := s.runtime.column(name)
	return c.Type
}

func (s *session) constraints(where string) string {
	return fmt.Sprintf(`
SELECT c.conname AS name, pg_get_constraintdef(c.oid) AS definition, coalesce(pg_get_expr(c.conbin, c.conrelid), '') AS expression,
  (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k (num, n)
   JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num) AS columns,
  obj_description(c.oid, 'pg_constraint') AS comment
FROM pg_constraint c WHERE c.conrelid = %d AND %s ORDER BY c.conname`, s.runtime.OID, where)
}

// A typeColumnInfo holds what is needed to create runtime_type again.
type typeColumnInfo struct {
	Type       string   `json:"type"`
	NotNull    bool     `json:"not_null"`
	Default    *string  `json:"default"`
	Comment    *string  `json:"comment"`
	Num        int      `json:"num"`
	Enum       *string  `json:"enum"`
	EnumOwner  string   `json:"enum_owner"`
	EnumOwned  bool     `json:"enum_owned"`
	EnumLabels []string `json:"enum_labels"`
	EnumNote   *string  `json:"enum_note"`
	EnumOID    int64    `json:"enum_oid"`
	Grants     []grant  `json:"grants"`
	EnumGrants []grant  `json:"enum_grants"`
	// Settings holds collation, storage and the like, as they follow ALTER COLUMN.
	Settings []string `json:"settings"`
	Collate  string   `json:"collate"`
}

// A grant is one granted privilege. An empty Grantee is PUBLIC.
type grant struct {
	Grantee   string `json:"grantee"`
	Privilege string `json:"privilege"`
	Option    bool   `json:"option"`
}

func (g grant) sql(on string) string {
	to := "PUBLIC"
	if g.Grantee != "" {
		to = ident(g.Grantee)
	}
	text := ";\nGRANT " + strings.Replace(on, "{privilege}", g.Privilege, 1) + " TO " + to
	if g.Option {
		text += " WITH GRANT OPTION"
	}
	return text
}

// grantsOf returns a JSON list of the grants in an access list.
func grantsOf(acl string) string {
	return `(SELECT json_agg(json_build_object('grantee', CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END,
     'privilege', x.privilege_type, 'option', x.is_grantable)) FROM aclexplode(` + acl + `) x)`
}

func (s *session) typeColumn(ctx context.Context) (*typeColumnInfo, error) {
	var found []typeColumnInfo
	err := s.load(ctx, "read the column runtime_type", fmt.Sprintf(`
SELECT format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null, pg_get_expr(d.adbin, d.adrelid) AS default,
  col_description(a.attrelid, a.attnum) AS comment, a.attnum AS num, t.oid::int8 AS enum_oid,
  CASE WHEN t.typtype = 'e' THEN quote_ident(n.nspname) || '.' || quote_ident(t.typname) END AS enum,
  pg_get_userbyid(t.typowner) AS enum_owner, pg_has_role(t.typowner, 'USAGE') AS enum_owned,
  (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS enum_labels,
  obj_description(t.oid, 'pg_type') AS enum_note, %s AS grants, %s AS enum_grants,
  array_remove(ARRAY[CASE WHEN a.attstattarget >= 0 THEN 'SET STATISTICS ' || a.attstattarget END,
    CASE WHEN a.attstorage <> t.typstorage THEN 'SET STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,
    (SELECT 'SET (' || string_agg(format('%%I = %%L', o.option_name, o.option_value), ', ') || ')' FROM pg_options_to_table(a.attoptions) o
      WHERE o.option_name IN ('n_distinct', 'n_distinct_inherited'))], NULL) AS settings,
  CASE WHEN a.attcollation <> t.typcollation THEN (SELECT format(' COLLATE %%I.%%I', cn.nspname, l.collname)
    FROM pg_collation l JOIN pg_namespace cn ON cn.oid = l.collnamespace WHERE l.oid = a.attcollation) ELSE '' END AS collate
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %d AND a.attname = %s AND NOT a.attisdropped`,
		grantsOf("a.attacl"), grantsOf("t.typacl"), s.runtime.OID, literal(typeColumn)), &found)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("read the column runtime_type: it is missing")
	}
	return &found[0], nil
}

// dropColumn drops runtime_type, its indexes and constraints, and its enum.
func (s *session) dropColumn(ctx context.Context) ([]Change, error) {
	info, err := s.typeColumn(ctx)
	if err != nil {
		return nil, err
	}
	indexes, err := s.typeIndexes(ctx, info.Num)
	if err != nil {
		return nil, err
	}
	var constraints []constraint
	err = s.load(ctx, "read the constraints on runtime_type", s.constraints(fmt.Sprintf("%d = ANY (c.conkey)", info.Num)), &constraints)
	if err != nil {
		return nil, err
	}
	table, name := s.runtime.sql(), ident(typeColumn)
	var changes []Change
	ofConstraint := map[string]string{}
	for _, i := range indexes {
		// This comes first, so that it is undone when the index exists again.
		if i.Identity {
			change, err := s.identityChange(ctx, i)
			if err != nil {
				return nil, err
			}
			changes = append(changes, change)
		}
	}
	for _, i := range indexes {
		if i.Constraint != nil {
			ofConstraint[*i.Constraint] = s.finishIndex(i)
			continue
		}
		changes = append(changes, Change{Action: "drop", Object: "index " + i.Name, Undo: i.Definition + s.finishIndex(i),
			Do: "DROP INDEX " + qualified(s.schema, i.Name)})
	}
	for _, c := range constraints {
		changes = append(changes, Change{Action: "drop", Object: "constraint " + c.Name, Undo: s.addConstraint(c) + ofConstraint[c.Name],
			Do: "ALTER TABLE " + table + " DROP CONSTRAINT " + ident(c.Name)})
	}
	create := "ALTER TABLE " + table + " ADD COLUMN " + name + " " + info.Type + info.Collate
	dropEnum := ""
	if info.Enum != nil {
		create = info.createEnum() + ";\n" + create
		dropEnum = ";\nDROP TYPE " + *info.Enum
	}
	changes = append(changes,
		Change{Action: "drop", Object: "column runtime." + typeColumn, Early: true, Undo: create,
			Do: "ALTER TABLE " + table + " DROP COLUMN " + name + dropEnum},
		Change{Object: "column runtime." + typeColumn, Undo: info.finish(table, name)})
	if info.Enum != nil {
		changes = append(changes, Change{Action: "drop", Object: "type " + *info.Enum})
	}
	return changes, nil
}

func (t *typeColumnInfo) createEnum() string {
	text := "CREATE TYPE " + *t.Enum + " AS ENUM (" + list(t.EnumLabels, ", ", literal) + ");\n" +
		"ALTER TYPE " + *t.Enum + " OWNER TO " + ident(t.EnumOwner) + comment("TYPE "+*t.Enum, t.EnumNote)
	if t.EnumGrants != nil {
		text += ";\nREVOKE ALL ON TYPE " + *t.Enum + " FROM PUBLIC"
		for _, g := range t.EnumGrants {
			if g.Grantee != t.EnumOwner {
				text += g.sql("{privilege} ON TYPE " + *t.Enum)
			}
		}
	}
	return text
}

// finish returns the statements that complete the column once it has its values.
func (t *typeColumnInfo) finish(table, name string) string {
	alter := ";\nALTER TABLE " + table + " ALTER COLUMN " + name
	text := list(t.Settings, "", func(set string) string { return alter + " " + set })
	if t.NotNull {
		text += alter + " SET NOT NULL"
	}
	if t.Default != nil {
		text += alter + " SET DEFAULT " + *t.Default
	}
	for _, g := range t.Grants {
		text += g.sql("{privilege} (" + name + ") ON " + table)
	}
	text += comment("COLUMN "+table+"."+name, t.Comment)
	return strings.TrimPrefix(text, ";\n")
}
