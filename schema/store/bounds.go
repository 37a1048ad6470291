package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
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
	// MaxDefinitionsSize is the size of all definitions as text, in bytes.
	MaxDefinitionsSize = 16 << 20
	// MaxDefinitionsWork is what the database unpacks to find the sizes of
	// definitions, in bytes, also of those that are not sent.
	MaxDefinitionsWork = 48 << 20
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

const (
	// pageStored bounds what is read by one statement, in bytes as they are stored,
	// but for a single definition that takes more.
	pageStored = 64 << 10
	// maxUnpacked is the size up to which Postgres makes a text of a document, in
	// bytes as it is unpacked: that text is up to six times as long, and at least a
	// quarter.
	maxUnpacked = 4 * MaxDefinitionSize
)

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
	return fmt.Sprintf("%d of %d definitions are left out (%s%s): at most %d are read, with at most %d MiB in sum and %d MiB unpacked",
		l.Count, l.Total, strings.Join(l.Refs, ", "), more, MaxDefinitions, MaxDefinitionsSize>>20, MaxDefinitionsWork>>20)
}

// outline is what is known of a definition before it is read.
type outline struct {
	ID       int64
	Ref      string
	Stored   int64
	Versions int
	Total    int
	// Unpacked is the size in the memory of Postgres of the documents that it makes texts
	// of, Size of what is sent, and Work of all that it unpacked and made to find both.
	// measure fills them in.
	Unpacked, Size, Work int64 `bun:"-"`
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
	case o.Unpacked > MaxDefinitionsSize:
		return fmt.Sprintf("the definition takes %d bytes unpacked, with its versions; at most %d are read", o.Unpacked, MaxDefinitionsSize)
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

// read returns definitions, all or the one of ref, ordered by ref. On Postgres it reads
// one snapshot: what was measured is what is sent.
func (r *Runtimes) read(ctx context.Context, ref ...string) (defs []metadata.Definition, out LeftOut, err error) {
	if !r.postgres {
		return r.readParts(ctx, ref...)
	}
	snapshot := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	err = r.db.RunInTx(ctx, snapshot, func(ctx context.Context, tx bun.Tx) error {
		in, versions := *r, *r.versions
		in.db, in.versions, versions.db = tx, &versions, tx
		defs, out, err = in.readParts(ctx, ref...)
		return err
	})
	return defs, out, err
}

func (r *Runtimes) readParts(ctx context.Context, ref ...string) ([]metadata.Definition, LeftOut, error) {
	left, err := r.outlines(ctx, ref...)
	if err != nil || len(left) == 0 {
		return []metadata.Definition{}, LeftOut{}, err
	}
	total, room, work := left[0].Total, int64(MaxDefinitionsSize), int64(MaxDefinitionsWork)
	var defs []metadata.Definition
	for full := false; len(left) > 0 && len(defs) < MaxDefinitions && !full; {
		page := left[:r.pageOf(left, MaxDefinitions-len(defs))]
		if err := r.measure(ctx, page); err != nil {
			return nil, LeftOut{}, err
		}
		for i := range page {
			room, work = room-page[i].Size, work-page[i].Work
			if full = room < 0 || work < 0; full {
				page = page[:i]
				break
			}
		}
		read, err := r.readPage(ctx, page)
		if err != nil {
			return nil, LeftOut{}, err
		}
		for _, o := range page {
			if def, ok := read[o.ID]; ok {
				defs = append(defs, def)
			} else {
				total-- // deleted meanwhile
			}
		}
		left = left[len(page):]
	}
	slices.SortFunc(defs, func(a, b metadata.Definition) int { return strings.Compare(a.Ref, b.Ref) })
	out := LeftOut{Count: total - len(defs), Total: total}
	for _, o := range left[:min(len(left), 3)] {
		out.Refs = append(out.Refs, cutRef(o.Ref))
	}
	return defs, out, nil
}

// measure fills in the sizes of the definitions of a page. Postgres unpacks their
// documents, and makes texts only of those definitions that are not too large unpacked.
func (r *Runtimes) measure(ctx context.Context, page []outline) error {
	of, ids := map[int64]*outline{}, []int64{0} // a list must not be empty
	for i := range page {
		if o := &page[i]; r.excess(*o) == "" {
			o.Size = o.Stored // SQLite compresses nothing
			of[o.ID] = o
			ids = append(ids, o.ID)
		}
	}
	if !r.postgres {
		return nil
	}
	unpacked, text := measured("runtime", "r")
	ofVersions, textOfVersions := measured("runtime_version", "v")
	query := `WITH unpacked AS MATERIALIZED (
			SELECT d.id, CAST(pg_catalog.sum(d.size) AS pg_catalog.int8) AS whole,
				CAST(coalesce(pg_catalog.sum(CASE WHEN d.size <= ?3 THEN d.size END), 0) AS pg_catalog.int8) AS size
			FROM (
				SELECT r.id, c.size FROM ?0 AS r, LATERAL (VALUES ` + unpacked + `) AS c (size) WHERE r.id IN (?2)
				UNION ALL
				SELECT v.runtime, c.size FROM ?1 AS v, LATERAL (VALUES ` + ofVersions + `) AS c (size) WHERE v.runtime IN (?2)
			) AS d GROUP BY d.id
		), text AS (
			SELECT u.id, c.size FROM unpacked AS u JOIN ?0 AS r ON r.id = u.id, LATERAL (VALUES ` + text + `) AS c (size) WHERE u.size <= ?4
			UNION ALL
			SELECT u.id, c.size FROM unpacked AS u JOIN ?1 AS v ON v.runtime = u.id, LATERAL (VALUES ` + textOfVersions + `) AS c (size) WHERE u.size <= ?4
		)
		SELECT u.id, u.size AS unpacked, u.whole + coalesce(t.size, 0) AS work, coalesce(t.sent, 0) AS sent FROM unpacked AS u LEFT JOIN (
			SELECT t.id, CAST(pg_catalog.sum(t.size) AS pg_catalog.int8) AS size,
				CAST(pg_catalog.sum(CASE WHEN t.size <= ?5 THEN t.size END) AS pg_catalog.int8) AS sent
			FROM text AS t GROUP BY t.id) AS t ON t.id = u.id`
	var found []struct{ ID, Unpacked, Work, Sent int64 }
	err := r.db.NewRaw(query, r.of("runtime"), r.of("runtime_version"), bun.List(ids), maxUnpacked, MaxDefinitionsSize, MaxDefinitionSize).
		Scan(ctx, &found)
	for _, f := range found {
		o := of[f.ID]
		o.Unpacked, o.Size, o.Work = f.Unpacked, f.Sent, f.Work
	}
	return err
}

// measured returns rows of VALUES: the size of each document of a row unpacked, and the
// size of each long column as text. What is not sent for its other sizes counts nothing.
func measured(table, alias string) (unpacked, texts string) {
	var whole, text []string
	for _, name := range slices.Sorted(maps.Keys(longColumns[table])) {
		column := alias + "." + name
		size := "pg_catalog.octet_length(" + column + ")"
		over := fmt.Sprintf("CASE WHEN %s > %d THEN 0", size, MaxDefinitionSize)
		if kind := longColumns[table][name]; kind == documentColumn || kind == optionalDocument {
			size = "pg_catalog.octet_length(" + column + "::pg_catalog.text)"
			over = fmt.Sprintf("CASE WHEN %s > %d THEN 0", stored(column), MaxDefinitionStored)
			whole = append(whole, "("+over+" ELSE "+unpackedSize(column)+" END)")
			over += fmt.Sprintf(" WHEN %s > %d THEN 0", unpackedSize(column), maxUnpacked)
		}
		text = append(text, "("+over+" ELSE "+size+" END)")
	}
	return strings.Join(whole, ", "), strings.Join(text, ", ")
}

// stored returns what a column takes where it is stored, which is known without
// unpacking it.
func stored(column string) string { return "pg_catalog.pg_column_size(" + column + ")" }

// unpackedSize returns what a document takes unpacked: an empty path leads to the whole
// of it, without making a text of it.
func unpackedSize(column string) string {
	return "pg_catalog.pg_column_size(" + column + " OPERATOR(pg_catalog.#>) '{}'::pg_catalog.text[])"
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
	// optionalColumn and optionalDocument: null.
	optionalColumn
	optionalDocument
	// nameColumn: its beginning, which is still too long for a name.
	nameColumn
)

// longColumns are the columns that may be long, by table.
var longColumns = map[string]map[string]columnKind{
	"runtime": {
		"pack_ref": optionalColumn, "name": nameColumn, "description": optionalColumn, "digest": optionalColumn,
		"aliases": documentColumn, "distributions": documentColumn, "execution_config": documentColumn, "installation": optionalDocument,
	},
	"runtime_version": {"distributions": documentColumn, "execution_config": documentColumn, "meta": optionalDocument},
}

// stored adds up what the long columns of a table take where they are stored,
// which costs nothing to know.
func (d dialect) stored(table, alias string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(longColumns[table])) {
		column := alias + "." + name
		parts = append(parts, d.pick("coalesce("+stored(column)+"::pg_catalog.int8, 0)", "coalesce(octet_length("+column+"), 0)"))
	}
	return strings.Join(parts, " + ")
}

// bounded is a column as it is read. One that is too large is not sent.
func (d dialect) bounded(kind columnKind, column string) string {
	if kind == nameColumn {
		return d.pick(`pg_catalog."left"(`+column+`, 4097)`, `substr(`+column+`, 1, 4097)`)
	}
	instead := func(size string) string {
		if kind == documentColumn {
			return d.pick(`pg_catalog.concat(E'\n', `+size+`)`, `char(10) || `+size)
		}
		return "NULL"
	}
	when := func(size string, most int) string {
		return " WHEN " + size + " > " + strconv.Itoa(most) + " THEN " + instead(size)
	}
	if !d.postgres {
		return "CASE" + when("octet_length("+column+")", MaxDefinitionSize) + " ELSE " + column + " END"
	}
	// First what is known without unpacking the column, or without making a text of it.
	over := when(stored(column), MaxDefinitionStored)
	if kind == documentColumn || kind == optionalDocument {
		over += when(unpackedSize(column), maxUnpacked)
	}
	// OFFSET keeps the planner from making the text once for each use.
	return "CASE" + over + " ELSE (SELECT CASE" + when("pg_catalog.octet_length(whole.text)", MaxDefinitionSize) +
		" ELSE whole.text END FROM (SELECT " + column + "::pg_catalog.text AS text OFFSET 0) AS whole) END"
}
