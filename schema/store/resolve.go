package store

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// Resolve returns the runtime that a name means, in any case: by ref, then by
// capability name, then by alias, then by display name; among several the core
// pack's, then the lowest ref. Errors: ErrNotFound.
//
// The database narrows the runtimes to those that may answer to the name;
// metadata.Index, which has the rule, chooses among them.
func (r *Runtimes) Resolve(ctx context.Context, name string) (*schema.Runtime, error) {
	rows, err := r.answering(ctx, strings.ToLower(strings.TrimSpace(name)))
	if err != nil {
		return nil, r.fail("resolve", name, err)
	}
	defs := make([]metadata.Definition, len(rows))
	for i := range rows {
		defs[i] = DefinitionOf(&rows[i], nil)
	}
	if def, ok := metadata.NewIndex(defs).Resolve(name); ok {
		for i := range rows {
			if rows[i].Ref == def.Ref {
				return &rows[i], nil
			}
		}
	}
	return nil, r.fail("resolve", name, ErrNotFound)
}

// answering returns the runtimes that answer to a name in lower case, and
// perhaps more: the databases know the case of ASCII alone, so every runtime
// with another letter in its names is a candidate.
func (r *Runtimes) answering(ctx context.Context, name string) ([]schema.Runtime, error) {
	return r.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("("+
			r.folded("runtime.ref")+" = ?0 OR "+
			r.folded("runtime.name")+" = ?0 OR "+r.beyondASCII("runtime.name")+" OR "+
			r.lastPart("runtime.ref")+" = ?0 OR "+
			"EXISTS (SELECT 1 FROM "+r.elements("runtime.aliases")+" AS alias WHERE "+
			r.folded("alias.value")+" = ?0 OR "+r.beyondASCII("alias.value")+"))", name)
	}, name)
}

// folded is a text as names are compared, ASCII's case and white space apart.
func (d dialect) folded(text string) string {
	return d.pick(
		`pg_catalog.lower(pg_catalog.btrim(`+text+` COLLATE pg_catalog."C", E' \t\n\v\f\r'))`,
		`lower(trim(`+text+`, char(32, 9, 10, 11, 12, 13)))`)
}

// lastPart is what follows the last dot of a ref.
func (d dialect) lastPart(ref string) string {
	return d.pick(
		`pg_catalog.regexp_replace(`+ref+`, '^.*\.', '')`,
		`replace(`+ref+`, rtrim(`+ref+`, replace(`+ref+`, '.', '')), '')`)
}

// beyondASCII tells a text that has other letters than ASCII's.
func (d dialect) beyondASCII(text string) string {
	return d.pick(
		`pg_catalog.octet_length(`+text+`) <> pg_catalog.length(`+text+`)`,
		`length(CAST(`+text+` AS BLOB)) <> length(`+text+`)`)
}

// elements are the entries of a list in a JSON column as rows with the column
// value; anything but a list has none, or none that is a text.
func (d dialect) elements(column string) string {
	return d.pick(
		`(SELECT e AS value FROM pg_catalog.jsonb_array_elements_text(
			CASE WHEN pg_catalog.jsonb_typeof(`+column+`) = 'array' THEN `+column+` ELSE '[]' END) AS e)`,
		`(SELECT value FROM json_each(CASE WHEN json_valid(`+column+`) THEN `+column+` ELSE '[]' END))`)
}
