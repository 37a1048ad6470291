package unify

import (
	"context"
	_ "embed"
	"regexp"
	"strconv"
	"strings"
)

var (
	//go:embed direct.sql
	directSQL string
	//go:embed dependents.sql
	dependentsSQL string
)

// typeObstacles returns the objects that use runtime_type or its enum and are not dropped with
// them, and the functions whose text names them.
func (s *session) typeObstacles(ctx context.Context) ([]Obstacle, error) {
	info, err := s.typeColumn(ctx)
	if err != nil {
		return nil, err
	}
	var found []Obstacle
	if info.Enum != nil && !info.EnumOwned {
		found = append(found, Obstacle{Object: "type " + *info.Enum, Reason: "only its owner, " + info.EnumOwner + ", may drop it",
			SQL: "GRANT " + ident(info.EnumOwner) + " TO CURRENT_USER; -- as a superuser, with the role's name for CURRENT_USER"})
	}
	more, err := s.dependents(ctx, dropTarget{table: s.runtime.OID, numbers: []int{info.Num}, enum: info.EnumOID, keysGo: true,
		functions: s.functions(info, true),
		reason:    "it uses runtime_type or its enum, which are dropped"})
	return append(found, more...), err
}

// functions returns a SELECT of the functions whose text names runtime_type or its enum. With ours it
// selects those that also name the enum or attune's table, or get rows of it. Otherwise it selects the
// others.
func (s *session) functions(info *typeColumnInfo, ours bool) string {
	enum := typeColumn + "_enum"
	if info.Enum != nil {
		parts := strings.Split(*info.Enum, ".")
		enum = strings.Trim(parts[len(parts)-1], `"`)
	}
	schema := regexp.QuoteMeta(s.schema) + "|" + regexp.QuoteMeta(ident(s.schema))
	// The table has no schema, or attune's: other.runtime and NEW.runtime belong to others.
	table := `(^|[^.[:alnum:]_"])"?runtime\M|(\m|")(` + schema + `)"?[[:space:]]*[.][[:space:]]*"?runtime\M`
	return strings.NewReplacer(
		"{words}", literal(`\m(`+typeColumn+"|"+regexp.QuoteMeta(enum)+`)\M`),
		"{named}", literal(`\m`+regexp.QuoteMeta(enum)+`\M|`+table),
		"{runtime}", strconv.FormatInt(s.runtime.OID, 10),
		"{enum}", strconv.FormatInt(info.EnumOID, 10),
		"{ours}", strconv.FormatBool(ours),
	).Replace(`
SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND l.lanname NOT IN ('c', 'internal') AND p.prosrc ~* {words}
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  AND {ours} = (p.prosrc ~* {named}
    OR EXISTS (SELECT FROM pg_trigger g WHERE g.tgfoid = p.oid AND g.tgrelid = {runtime})
    OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_type'::regclass
      AND d.refobjid IN (SELECT {enum} UNION SELECT t.oid FROM pg_type t WHERE t.typrelid = {runtime}
        UNION SELECT t.typarray FROM pg_type t WHERE t.oid = {enum} OR t.typrelid = {runtime})))`)
}

// functionNotes returns notes about functions that use runtime_type of another table, as it seems.
func (s *session) functionNotes(ctx context.Context) ([]string, error) {
	info, err := s.typeColumn(ctx)
	if err != nil {
		return nil, err
	}
	var found []struct {
		Name string `json:"name"`
	}
	err = s.load(ctx, "find functions that name runtime_type",
		"SELECT f.oid::regprocedure::text AS name FROM ("+s.functions(info, false)+") f ORDER BY 1", &found)
	var notes []string
	for _, f := range found {
		notes = append(notes, "function "+f.Name+" names runtime_type, but neither the table runtime nor the enum: "+
			"it stays as it is; check that it means another table's column")
	}
	return notes, err
}

// A dropTarget is what would be dropped: columns of a table, and an enum.
type dropTarget struct {
	table   int64
	numbers []int
	// enum is 0 for other types.
	enum int64
	// keysGo means that foreign keys to the table are handled elsewhere.
	keysGo bool
	// functions is a SELECT of functions that use it in their text. Empty looks for no functions.
	// look for.
	functions string
	reason    string
}

// dependents returns the objects that prevent something from being dropped.
func (s *session) dependents(ctx context.Context, d dropTarget) ([]Obstacle, error) {
	functions := d.functions
	if functions == "" {
		functions = "SELECT NULL::oid WHERE false"
	}
	const doing = "find dependents of the dropped objects"
	target := strings.NewReplacer(
		"{table}", strconv.FormatInt(d.table, 10),
		"{numbers}", list(d.numbers, ", ", strconv.Itoa),
		"{enum}", strconv.FormatInt(d.enum, 10),
		"{keys_go}", strconv.FormatBool(d.keysGo),
		"{functions}", functions,
		"{reason}", literal(d.reason),
	)
	// Mostly there is nothing, and planning the query that describes it takes longer than all others.
	n, err := s.count(ctx, doing, target.Replace("WITH "+directSQL+"SELECT count(*) FROM direct"))
	if n == 0 || err != nil {
		return nil, err
	}
	var found []Obstacle
	err = s.load(ctx, doing, target.Replace(strings.Replace(dependentsSQL, "{direct}", directSQL, 1)), &found)
	return found, err
}
