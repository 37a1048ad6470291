package unify

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed dependents.sql
var dependentsSQL string

// typeObstacles are the things that use runtime_type or its enum and do not go
// with them, and the functions whose text names them.
func (s *session) typeObstacles(ctx context.Context) ([]Obstacle, error) {
	info, err := s.typeColumn(ctx)
	if err != nil {
		return nil, err
	}
	name := typeColumn + "_enum"
	if info.Enum != nil {
		parts := strings.Split(*info.Enum, ".")
		name = strings.Trim(parts[len(parts)-1], `"`)
	}
	var found []Obstacle
	if info.Enum != nil && !info.EnumOwned {
		found = append(found, Obstacle{Object: "type " + *info.Enum, Reason: "only its owner, " + info.EnumOwner + ", may drop it",
			SQL: "GRANT " + ident(info.EnumOwner) + " TO CURRENT_USER; -- as a superuser, put the role's name in"})
	}
	var more []Obstacle
	err = s.load(ctx, "look for what uses runtime_type", strings.NewReplacer(
		"{runtime}", strconv.FormatInt(s.runtime.OID, 10),
		"{number}", strconv.Itoa(info.Num),
		"{enum}", strconv.FormatInt(info.EnumOID, 10),
		"{words}", literal(fmt.Sprintf(`\m(%s|%s)\M`, typeColumn, name)),
	).Replace(dependentsSQL), &more)
	return append(found, more...), err
}
