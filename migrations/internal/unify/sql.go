package unify

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ident quotes an identifier.
func ident(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// qualified quotes a name with its schema.
func qualified(schema, name string) string {
	return ident(schema) + "." + ident(name)
}

// literal quotes a string for every value of standard_conforming_strings.
func literal(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// list joins the results of f.
func list[T any](items []T, separator string, f func(T) string) string {
	parts := make([]string, len(items))
	for i, item := range items {
		parts[i] = f(item)
	}
	return strings.Join(parts, separator)
}

// array returns a text[] of the items.
func array(items []string) string {
	return "ARRAY[" + list(items, ", ", literal) + "]::text[]"
}

// All SQL here is complete text without arguments. Texts from the catalog may contain question marks,
// and bun does not touch a statement without arguments.

// exec runs one statement. doing is its purpose, for errors.
func (s *session) exec(ctx context.Context, doing, query string) (int64, error) {
	begin := time.Now()
	res, err := s.db.ExecContext(ctx, query)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	s.log.DebugContext(ctx, doing, "rows", n, "took", time.Since(begin))
	return n, nil
}

// load reads all rows of a query into dest, a pointer to a slice of structs. Their JSON names are the
// columns.
func (s *session) load(ctx context.Context, doing, query string, dest any) error {
	var text []byte
	row := s.db.QueryRowContext(ctx, "SELECT coalesce(json_agg(row_to_json(q)), '[]')::text FROM (\n"+query+"\n) q")
	if err := row.Scan(&text); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if err := json.Unmarshal(text, dest); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// count reads one number.
func (s *session) count(ctx context.Context, doing, query string) (int64, error) {
	var n int64
	if err := s.db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	return n, nil
}
