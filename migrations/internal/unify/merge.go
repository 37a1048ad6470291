package unify

import (
	_ "embed"
	"fmt"
	"strings"
)

// legacyForm is what refs of the legacy schema look like, and unifiedForm those
// of the unified one.
const (
	legacyForm  = `^[^.]+[.](action|sensor)[.][^.]+$`
	unifiedForm = `^[^.]+[.][^.]+$`
)

//go:embed member.sql
var memberSQL string

//go:embed merge.sql
var mergeSQL string

// merge is the SELECT that says what every row of runtime becomes. The plan and
// the migration read the same one.
func (s *session) merge() string {
	return strings.NewReplacer(
		"{core_definitions}", coreDefinitions(),
		"{pack}", s.our("pack").from(),
		"{member}", s.member(s.encode("r")),
		"{side_is_none}", noVerification("s.verification"),
		"{own_is_none}", noVerification("own.verification"),
	).Replace(mergeSQL)
}

// noVerification: the object takes nothing as available and has no commands. What
// is of the wrong type is left for its owner to see.
func noVerification(object string) string {
	return fmt.Sprintf(`%[1]s IS NOT NULL AND coalesce(%[1]s->'always_available', 'null') IN ('null', 'false')
      AND coalesce(%[1]s->'check_required', 'null') IN ('null', 'true') AND coalesce(%[1]s->'commands', 'null') IN ('null', '[]')`, object)
}

// become is merge without the values: the id and the ref that each row becomes.
func (s *session) become() string {
	return "WITH " + s.member("NULL::jsonb") + "SELECT id, ref, side, became, target AS became_ref FROM member"
}

func (s *session) member(row string) string {
	return strings.NewReplacer(
		"{runtime}", s.runtime.from(),
		"{row}", row,
		"{target}", target("r.ref::text"),
		"{legacy_form}", literal(legacyForm),
	).Replace(memberSQL)
}

// target is the unified ref of a legacy one; any other text stays as it is.
func target(ref string) string {
	return fmt.Sprintf(`CASE WHEN %[1]s ~ %[2]s AND %[1]s <> %[3]s THEN split_part(%[1]s, '.', 1) || '.' || coalesce(
    CASE WHEN split_part(%[1]s, '.', 1) = %[4]s THEN
      (SELECT core_name.name FROM (%[5]s) core_name (alias, name) WHERE core_name.alias = split_part(%[1]s, '.', 3)) END,
    split_part(%[1]s, '.', 3)) ELSE %[1]s END`,
		ref, literal(legacyForm), literal(builtinRef), literal(corePack), coreNames())
}

// encode is a row of runtime as jsonb from which every value comes back as it
// was. Three things need care: in jsonb a column that is NULL looks like one
// that holds JSON's null, so a NULL jsonb column is left out; json loses its
// spelling in jsonb; and arrays, composites and types of extensions do not all
// survive the way to JSON and back. All but the plain types are kept as text.
func (s *session) encode(alias string) string {
	var absent, written []string
	for _, c := range s.runtime.Columns {
		value := alias + "." + ident(c.Name)
		switch {
		case c.TypeOID == jsonbOID:
			absent = append(absent, fmt.Sprintf(" - CASE WHEN %s IS NULL THEN %s ELSE '{}'::text[] END", value, array([]string{c.Name})))
		case !strings.Contains("NSBDE", c.Category):
			written = append(written, fmt.Sprintf(" || jsonb_build_object(%s, %s::text)", literal(c.Name), value))
		}
	}
	return "(to_jsonb(" + alias + ")" + strings.Join(absent, "") + strings.Join(written, "") + ")"
}

// decode is the value of a column in a row that encode wrote.
func decode(row string, c column) string {
	if c.TypeOID == jsonbOID {
		return fmt.Sprintf("(%s->%s)", row, literal(c.Name))
	}
	return fmt.Sprintf("(%s->>%s)::%s", row, literal(c.Name), c.Type)
}
