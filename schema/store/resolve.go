package store

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// Resolve returns the runtime with a name, ignoring case. It compares the ref first, then
// the capability name, the aliases and the display name. Among several it prefers the core
// pack, then the lowest ref. Errors: ErrNotFound.
//
// The database returns the candidates; metadata.Index chooses among them.
func (r *Runtimes) Resolve(ctx context.Context, name string) (*schema.Runtime, error) {
	rows, err := r.candidates(ctx, strings.ToLower(strings.TrimSpace(name)))
	if err != nil {
		return nil, r.fail("resolve", name, err)
	}
	defs := make([]metadata.Definition, len(rows))
	for i := range rows {
		defs[i] = definitionOf(&rows[i], nil)
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

// candidates returns the runtimes that may have a name, given in lower case. The databases
// fold the case of ASCII only, so every name with other letters is a candidate.
func (r *Runtimes) candidates(ctx context.Context, name string) ([]schema.Runtime, error) {
	return r.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("("+
			r.folded("runtime.ref")+" = ?0 OR "+
			r.folded("runtime.name")+" = ?0 OR "+r.beyondASCII("runtime.name")+" OR "+
			r.lastPart("runtime.ref")+" = ?0 OR "+
			"EXISTS (SELECT 1 FROM "+r.elements("runtime.aliases")+" AS alias WHERE "+
			r.folded("alias.value")+" = ?0 OR "+r.beyondASCII("alias.value")+"))", name)
	}, name)
}

// folded returns a text in lower case without surrounding white space.
func (d dialect) folded(text string) string {
	return d.pick(
		`pg_catalog.lower(pg_catalog.btrim(`+text+` COLLATE pg_catalog."C", E' \t\n\v\f\r'))`,
		`lower(trim(`+text+`, char(32, 9, 10, 11, 12, 13)))`)
}

// lastPart returns the part of a ref after its last dot.
func (d dialect) lastPart(ref string) string {
	return d.pick(
		`pg_catalog.regexp_replace(`+ref+`, '^.*\.', '')`,
		`replace(`+ref+`, rtrim(`+ref+`, replace(`+ref+`, '.', '')), '')`)
}

// beyondASCII returns the condition that a text has letters outside ASCII.
func (d dialect) beyondASCII(text string) string {
	return d.pick(
		`pg_catalog.octet_length(`+text+`) <> pg_catalog.length(`+text+`)`,
		`length(CAST(`+text+` AS BLOB)) <> length(`+text+`)`)
}

// elements returns the entries of a list in a JSON column as rows with the column value.
// Anything but a list has no text entries.
func (d dialect) elements(column string) string {
	return d.pick(
		`(SELECT e AS value FROM pg_catalog.jsonb_array_elements_text(
			CASE WHEN pg_catalog.jsonb_typeof(`+column+`) = 'array' THEN `+column+` ELSE '[]' END) AS e)`,
		`(SELECT value FROM json_each(CASE WHEN json_valid(`+column+`) THEN `+column+` ELSE '[]' END))`)
}
