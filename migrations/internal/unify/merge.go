package unify

import (
	_ "embed"
	"fmt"
	"strings"
)

// legacyForm is the form of refs in the legacy schema, and unifiedForm in the unified schema.
const (
	legacyForm  = `^[^.]+[.](action|sensor)[.][^.]+$`
	unifiedForm = `^[^.]+[.][^.]+$`
)

//go:embed member.sql
var memberSQL string

//go:embed merge.sql
var mergeSQL string

// merge returns the SELECT of what every row of runtime becomes. The plan and the migration use
// the same one.
func (s *session) merge() string {
	return strings.NewReplacer(
		"{core_definitions}", coreDefinitions(),
		"{pack}", s.ownTable("pack").from(),
		"{member}", s.member(s.encode("r")),
		"{side_is_none}", noVerification("s.verification"),
		"{own_is_none}", noVerification("own.verification"),
	).Replace(mergeSQL)
}

// noVerification returns the condition that an object does not make the runtime available and has
// no commands. Values of a wrong type are left for their owner to see.
func noVerification(object string) string {
	return fmt.Sprintf(`%[1]s IS NOT NULL AND coalesce(%[1]s->'always_available', 'null') IN ('null', 'false')
      AND coalesce(%[1]s->'check_required', 'null') IN ('null', 'true') AND coalesce(%[1]s->'commands', 'null') IN ('null', '[]')`, object)
}

// targets returns the merge without values: the ID and the ref that each row becomes.
func (s *session) targets() string {
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

// target returns the unified ref for a legacy one. Other texts stay as they are.
func target(ref string) string {
	return fmt.Sprintf(`CASE WHEN %[1]s ~ %[2]s AND %[1]s <> %[3]s THEN split_part(%[1]s, '.', 1) || '.' || coalesce(
    CASE WHEN split_part(%[1]s, '.', 1) = %[4]s THEN
      (SELECT core_name.name FROM (%[5]s) core_name (alias, name) WHERE core_name.alias = split_part(%[1]s, '.', 3)) END,
    split_part(%[1]s, '.', 3)) ELSE %[1]s END`,
		ref, literal(legacyForm), literal(builtinRef), literal(corePack), coreNames())
}

// encode returns a row of runtime as jsonb from which every value can be restored exactly. Three
// cases need care. A NULL jsonb column is left out, because it would look like a JSON null. A json
// column would lose its spelling. Arrays, composites and types of extensions do not all survive
// the conversion. So all but the plain types are kept as text.
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

// decode returns the value of a column in a row that encode wrote.
func decode(row string, c column) string {
	if c.TypeOID == jsonbOID {
		return fmt.Sprintf("(%s->%s)", row, literal(c.Name))
	}
	return fmt.Sprintf("(%s->>%s)::%s", row, literal(c.Name), c.Type)
}
