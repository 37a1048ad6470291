package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// Bounds of what Definitions reads. They are judged before a definition is sent
// or decoded, so that no row costs a host more than this.
const (
	// MaxDefinitions is the number of definitions.
	MaxDefinitions = 4000
	// MaxDefinitionsSize is the size of all definitions as JSON, in bytes.
	MaxDefinitionsSize = 16 << 20
	// MaxDefinitionSize is the size of one document of a definition as text, in
	// bytes: what a database takes as one document.
	MaxDefinitionSize = metadata.MaxText
	// MaxDefinitionStored is the size that one definition and its versions take in
	// the tables of Postgres, in bytes. Compressed documents may have a hundred
	// times as much text. On SQLite, which compresses nothing, MaxDefinitionSize
	// holds instead.
	MaxDefinitionStored = 512 << 10
	// MaxVersions is the number of versions of one definition.
	MaxVersions = 100
)

// pageStored bounds what is read by one statement, in bytes as they are stored,
// but for a single definition that takes more.
const pageStored = 128 << 10

// LeftOut is what Definitions does not return, because there are too many
// definitions or they are too large in sum.
type LeftOut struct {
	// Count of Total definitions are left out; 0 means that all are there.
	Count, Total int
	// Refs are the first of them, three at most, in the order of reading.
	Refs []string
}

// String says what is left out, for people. It is empty where nothing is.
func (l LeftOut) String() string {
	if l.Count == 0 {
		return ""
	}
	more := ""
	if l.Count > len(l.Refs) {
		more = " …"
	}
	return fmt.Sprintf("%d of %d definitions are left out (%s%s): at most %d are read, with at most %d MiB in sum",
		l.Count, l.Total, strings.Join(l.Refs, ", "), more, MaxDefinitions, MaxDefinitionsSize>>20)
}

// outline is what is known of a definition before it is read.
type outline struct {
	ID       int64
	Ref      string
	Stored   int64
	Versions int
	Total    int
}

// excess returns why a definition is too large to be read, or "".
func (r *Runtimes) excess(o outline) string {
	most := int64(MaxDefinitionSize)
	if r.postgres {
		most = MaxDefinitionStored
	}
	switch {
	case o.Versions > MaxVersions:
		return fmt.Sprintf("the definition has %d versions; at most %d are read", o.Versions, MaxVersions)
	case o.Stored > most:
		return fmt.Sprintf("the definition takes %d bytes with its versions; at most %d are read", o.Stored, most)
	}
	return ""
}

// outlines returns all definitions, or the one of ref, in the order of reading:
// those of the core pack, small ones first, then the others by ref. Beyond
// MaxDefinitions it returns only those that LeftOut names.
func (r *Runtimes) outlines(ctx context.Context, ref ...string) ([]outline, error) {
	where := bun.SafeQuery("")
	if len(ref) > 0 {
		where = bun.SafeQuery("WHERE r.ref = ?", ref[0])
	}
	query := strings.NewReplacer(
		"{stored}", r.stored("runtime", "r")+" + coalesce(v.stored, 0)", "{version_stored}", fmt.Sprintf(r.pick("pg_catalog.sum(%s)::pg_catalog.int8", "sum(%s)"), r.stored("runtime_version", "v")),
		"{cut}", r.pick(`pg_catalog."left"(r.ref, 4096)`, "substr(r.ref, 1, 4096)"), "{ref}", string(r.bytewise("r.ref")),
		"{pg}", r.pick("pg_catalog.", ""),
	).Replace(`SELECT r.id, {cut} AS ref, coalesce(v.versions, 0) AS versions, {stored} AS stored, {pg}count(*) OVER () AS total
		FROM ?0 AS r LEFT JOIN (
			SELECT v.runtime, {pg}count(*) AS versions, {version_stored} AS stored FROM ?1 AS v GROUP BY v.runtime
		) AS v ON v.runtime = r.id ?3
		ORDER BY CASE WHEN r.ref IN (?2) THEN {stored} ELSE 9223372036854775807 END, {ref} LIMIT ?4`)
	var found []outline
	err := r.db.NewRaw(query, r.of("runtime"), r.of("runtime_version"), bun.List(metadata.CoreRefs()), where, MaxDefinitions+3).
		Scan(ctx, &found)
	return found, err
}

// read returns definitions, all or the one of ref, ordered by ref.
func (r *Runtimes) read(ctx context.Context, ref ...string) ([]metadata.Definition, LeftOut, error) {
	left, err := r.outlines(ctx, ref...)
	if err != nil || len(left) == 0 {
		return []metadata.Definition{}, LeftOut{}, err
	}
	total, size := left[0].Total, 0
	var defs []metadata.Definition
	for len(left) > 0 && size <= MaxDefinitionsSize && len(defs) < MaxDefinitions {
		page := left[:r.pageOf(left, MaxDefinitions-len(defs))]
		read, err := r.readPage(ctx, page)
		if err != nil {
			return nil, LeftOut{}, err
		}
		for i := range page {
			def, ok := read[page[i].ID]
			if !ok {
				left, total = left[1:], total-1 // deleted meanwhile
				continue
			}
			if size += sizeOf(&def); size > MaxDefinitionsSize {
				break
			}
			defs, left = append(defs, def), left[1:]
		}
	}
	slices.SortFunc(defs, func(a, b metadata.Definition) int { return strings.Compare(a.Ref, b.Ref) })
	out := LeftOut{Count: total - len(defs), Total: total}
	for _, o := range left[:min(len(left), 3)] {
		out.Refs = append(out.Refs, cutRef(o.Ref))
	}
	return defs, out, nil
}

// pageOf returns how many of the first definitions are read at once.
func (r *Runtimes) pageOf(left []outline, most int) int {
	stored := int64(0)
	for i, o := range left[:min(len(left), most)] {
		if r.excess(o) == "" {
			stored += o.Stored
		}
		if stored > pageStored && i > 0 {
			return i
		}
	}
	return min(len(left), most)
}

// readPage reads definitions by the ids of their rows. One that is too large has
// metadata that say so, and nothing else of it is read.
func (r *Runtimes) readPage(ctx context.Context, page []outline) (map[int64]metadata.Definition, error) {
	defs := map[int64]metadata.Definition{}
	ids := []int64{0} // a list must not be empty
	versions := 0
	for _, o := range page {
		if reason := r.excess(o); reason != "" {
			defs[o.ID] = metadata.Definition{Ref: o.Ref, Name: cutRef(o.Ref), Distributions: metadata.Withheld(reason)}
			continue
		}
		ids = append(ids, o.ID)
		versions += o.Versions
	}
	rows, err := r.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("runtime.id IN (?)", bun.List(ids))
	})
	if err != nil {
		return nil, err
	}
	of := map[int64][]schema.RuntimeVersion{}
	if versions > 0 {
		found, err := r.versions.ofRuntimes(ctx, ids, versions)
		if err != nil {
			return nil, err
		}
		for _, v := range found {
			of[v.Runtime] = append(of[v.Runtime], v)
		}
	}
	for i := range rows {
		defs[rows[i].ID] = DefinitionOf(&rows[i], of[rows[i].ID])
	}
	return defs, nil
}

// sizeOf returns the size of a definition's long columns as text, in bytes. A
// malformed document counts as it is in its column.
func sizeOf(def *metadata.Definition) int {
	size := len(def.Installation) + len(def.Name) + len(def.Description)
	documents := []json.Marshaler{def.Aliases, def.Distributions, def.ExecutionConfig}
	for _, v := range def.Versions {
		size += len(v.Meta)
		documents = append(documents, v.Distributions, v.ExecutionConfig)
	}
	for _, d := range documents {
		text, _ := d.MarshalJSON() // what is malformed is given as it is
		size += len(text)
	}
	return size
}

// cutRef is a ref for a message: a row that was written by SQL may have any.
func cutRef(ref string) string {
	const most = 100
	if len(ref) > most {
		return strings.ToValidUTF8(ref[:most], "") + "…"
	}
	return ref
}

// columnKind says what stands for a column that is too large to be read.
type columnKind int

const (
	// documentColumn: its size, in the form that package document reads as a fault.
	documentColumn columnKind = iota
	// optionalColumn: null.
	optionalColumn
	// nameColumn: its beginning, which is still too long for a name.
	nameColumn
)

// longColumns are the columns that may be long, by table.
var longColumns = map[string]map[string]columnKind{
	"runtime": {
		"pack_ref": optionalColumn, "name": nameColumn, "description": optionalColumn, "digest": optionalColumn,
		"aliases": documentColumn, "distributions": documentColumn, "execution_config": documentColumn, "installation": optionalColumn,
	},
	"runtime_version": {"distributions": documentColumn, "execution_config": documentColumn, "meta": optionalColumn},
}

// stored adds up what the long columns of a table take where they are stored,
// which costs nothing to know.
func (d dialect) stored(table, alias string) string {
	var parts []string
	for name := range longColumns[table] {
		column := alias + "." + name
		parts = append(parts, d.pick("coalesce(pg_catalog.pg_column_size("+column+")::pg_catalog.int8, 0)", "coalesce(octet_length("+column+"), 0)"))
	}
	slices.Sort(parts) // the statement is the same each time
	return strings.Join(parts, " + ")
}

// bounded is a column as it is read. One that is too large is not sent.
func (d dialect) bounded(kind columnKind, column string) string {
	if kind == nameColumn {
		return d.pick(`pg_catalog."left"(`+column+`, 4097)`, `substr(`+column+`, 1, 4097)`)
	}
	text := d.pick(column+"::pg_catalog.text", column)
	size := d.pick("pg_catalog.octet_length("+text+")", "octet_length("+text+")")
	instead := func(size string) string {
		if kind == documentColumn {
			return d.pick(`pg_catalog.concat(E'\n', `+size+`)`, `char(10) || `+size)
		}
		return "NULL"
	}
	over := " WHEN " + size + " > " + strconv.Itoa(MaxDefinitionSize) + " THEN " + instead(size)
	if d.postgres {
		// First, because it is known without unpacking what is compressed.
		stored := "pg_catalog.pg_column_size(" + column + ")"
		over = " WHEN " + stored + " > " + strconv.Itoa(MaxDefinitionStored) + " THEN " + instead(stored) + over
	}
	return "CASE" + over + " ELSE " + text + " END"
}
