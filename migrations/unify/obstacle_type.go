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
	more, err := s.dependents(ctx, dropped{table: s.runtime.OID, numbers: []int{info.Num}, enum: info.EnumOID, keysGo: true,
		words:  fmt.Sprintf(`\m(%s|%s)\M`, typeColumn, name),
		reason: "it uses runtime_type or its enum, which go"})
	return append(found, more...), err
}

// dropped is what would be dropped: columns of a table, and an enum.
type dropped struct {
	table   int64
	numbers []int
	// enum is 0 for none.
	enum int64
	// keysGo: foreign keys to the table are dealt with elsewhere.
	keysGo bool
	// words is a pattern that functions are searched for; empty for none.
	words  string
	reason string
}

// dependents are the things that keep something from being dropped.
func (s *session) dependents(ctx context.Context, d dropped) ([]Obstacle, error) {
	words := "NULL"
	if d.words != "" {
		words = literal(d.words)
	}
	var found []Obstacle
	err := s.load(ctx, "look for what uses that which goes", strings.NewReplacer(
		"{table}", strconv.FormatInt(d.table, 10),
		"{numbers}", list(d.numbers, ", ", strconv.Itoa),
		"{enum}", strconv.FormatInt(d.enum, 10),
		"{keys_go}", strconv.FormatBool(d.keysGo),
		"{words}", words,
		"{reason}", literal(d.reason),
	).Replace(dependentsSQL), &found)
	return found, err
}
