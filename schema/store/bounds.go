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

// Bounds on what Definitions reads. They are checked before a definition is sent or
// decoded, so that no row costs a host more.
const (
	// MaxDefinitions is the number of definitions.
	MaxDefinitions = 4000
	// MaxDefinitionsSize is the size of all definitions as text, in bytes.
	MaxDefinitionsSize = 16 << 20
	// MaxDefinitionsWork is how many bytes the database unpacks to find the sizes of
	// definitions, whether or not it sends them.
	MaxDefinitionsWork = 48 << 20
	// MaxDefinitionSize is the size of one document of a definition as text, in bytes.
	// A database accepts no larger document.
	MaxDefinitionSize = metadata.MaxText
	// MaxDefinitionStored is the size that one definition and its versions occupy in the
	// tables of Postgres, in bytes. The text of a compressed document can be a hundred
	// times larger. SQLite compresses nothing: there, MaxDefinitionSize applies.
	MaxDefinitionStored = 512 << 10
	// MaxCommands is the number of verification commands of all definitions and their
	// versions, since a detection keeps what each of them answered.
	MaxCommands = 16000
	// MaxVersions is the number of versions of one definition.
	MaxVersions = 100
)

// Bounds on what is read of one worker, whatever the login of its host wrote. Services write
// at most two thirds of each.
const (
	// MaxReport is the size of a capability document as text, in bytes.
	MaxReport = 8 << 20
	// MaxReported is the number of rows of worker_runtime. MaxReportedSize is the size of their
	// texts in bytes, and also the size of their evidence.
	MaxReported     = 50_000
	MaxReportedSize = 12 << 20
)

const (
	// pageStored bounds what one statement reads, in stored bytes. A single larger
	// definition is read alone.
	pageStored = 64 << 10
	// maxUnpacked is the unpacked size, in bytes, up to which Postgres renders a document
	// as text. That text is between a quarter and six times as long.
	maxUnpacked = 4 * MaxDefinitionSize
)

// An Omission describes the definitions that Definitions does not return, because there are
// too many or they are too large together.
type Omission struct {
	// Count is the number of definitions left out, and Total the number of all.
	Count, Total int
	// Refs holds the first of them in reading order, at most three.
	Refs []string
}

// String returns a sentence that names what is left out, or "" if nothing is.
func (l Omission) String() string {
	if l.Count == 0 {
		return ""
	}
	more := ""
	if l.Count > len(l.Refs) {
		more = " …"
	}
	return fmt.Sprintf("%d of %d definitions are left out (%s%s): "+
		"at most %d are read, with at most %d commands, %d MiB in sum and %d MiB unpacked",
		l.Count, l.Total, strings.Join(l.Refs, ", "), more, MaxDefinitions, MaxCommands, MaxDefinitionsSize>>20, MaxDefinitionsWork>>20)
}

// An outline describes a definition before it is read.
type outline struct {
	ID       int64
	Ref      string
	Stored   int64
	Versions int
	Total    int
	// Unpacked is the size in the memory of Postgres of the documents that it renders as
	// text, Size the size of what is sent, and Work the size of everything that it unpacked
	// and rendered to find both. measure sets them.
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

// outlines returns all definitions, or the one with ref, in reading order: first those of
// the core pack by size, then the others by ref. It stops a few rows after
// MaxDefinitions, so that Omission can name them.
func (r *Runtimes) outlines(ctx context.Context, ref ...string) ([]outline, error) {
	where := bun.SafeQuery("")
	if len(ref) > 0 {
		where = bun.SafeQuery("WHERE ? = ?", r.text("r.ref"), ref[0])
	}
	query := strings.NewReplacer(
		"{stored}", r.storedSizes("runtime", "r")+" + coalesce(v.stored, 0)",
		"{version_stored}", fmt.Sprintf(r.pick("pg_catalog.sum(%s)::pg_catalog.int8", "sum(%s)"), r.storedSizes("runtime_version", "v")),
		"{cut}", r.pick(`pg_catalog."left"(r.ref, 4096)`, "substr(r.ref, 1, 4096)"), "{ref}", string(r.bytewise("r.ref")), "{text}", string(r.text("r.ref")),
		"{pg}", r.pick("pg_catalog.", ""),
	).Replace(`SELECT r.id, {cut} AS ref, coalesce(v.versions, 0) AS versions, {stored} AS stored, {pg}count(*) OVER () AS total
		FROM ?0 AS r LEFT JOIN (
			SELECT v.runtime, {pg}count(*) AS versions, {version_stored} AS stored FROM ?1 AS v GROUP BY v.runtime
		) AS v ON v.runtime = r.id ?3
		ORDER BY CASE WHEN {text} IN (?2) THEN {stored} ELSE 9223372036854775807 END, {ref} LIMIT ?4`)
	var found []outline
	err := r.db.NewRaw(query, r.rows("runtime"), r.rows("runtime_version"), bun.List(metadata.CoreRefs()), where, MaxDefinitions+3).
		Scan(ctx, &found)
	return found, err
}

// read returns all definitions, or the one with ref, ordered by ref. On Postgres it reads
// one snapshot, so the database sends what was measured.
func (r *Runtimes) read(ctx context.Context, ref ...string) (defs []metadata.Definition, out Omission, err error) {
	err = r.inSnapshot(ctx, func(ctx context.Context, db bun.IDB) error {
		in, versions := *r, *r.versions
		in.db, in.versions, versions.db = db, &versions, db
		defs, out, err = in.readParts(ctx, ref...)
		return err
	})
	return defs, out, err
}

// inSnapshot runs fn on a database that does not change between its statements. SQLite needs
// no transaction for that: it compresses nothing, so a size cannot be wrong by much.
func (d dialect) inSnapshot(ctx context.Context, fn func(ctx context.Context, db bun.IDB) error) error {
	if !d.postgres {
		return fn(ctx, d.db)
	}
	snapshot := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	return d.db.RunInTx(ctx, snapshot, func(ctx context.Context, tx bun.Tx) error { return fn(ctx, tx) })
}

func (r *Runtimes) readParts(ctx context.Context, ref ...string) ([]metadata.Definition, Omission, error) {
	left, err := r.outlines(ctx, ref...)
	if err != nil || len(left) == 0 {
		return []metadata.Definition{}, Omission{}, err
	}
	total, room, work, commands := left[0].Total, int64(MaxDefinitionsSize), int64(MaxDefinitionsWork), MaxCommands
	var defs []metadata.Definition
	for full := false; len(left) > 0 && len(defs) < MaxDefinitions && !full; {
		page := left[:r.pageOf(left, MaxDefinitions-len(defs))]
		if err := r.measure(ctx, page); err != nil {
			return nil, Omission{}, err
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
			return nil, Omission{}, err
		}
		for i, o := range page {
			def, ok := read[o.ID]
			if !ok {
				total-- // deleted meanwhile
				continue
			}
			if commands -= commandsOf(&def); commands < 0 {
				page, full = page[:i], true
				break
			}
			defs = append(defs, def)
		}
		left = left[len(page):]
	}
	slices.SortFunc(defs, func(a, b metadata.Definition) int { return strings.Compare(a.Ref, b.Ref) })
	out := Omission{Count: total - len(defs), Total: total}
	for _, o := range left[:min(len(left), 3)] {
		out.Refs = append(out.Refs, cutRef(o.Ref))
	}
	return defs, out, nil
}

// measure sets the sizes of a page's definitions. Postgres unpacks their documents, and
// renders only those as text that are small enough unpacked.
func (r *Runtimes) measure(ctx context.Context, page []outline) error {
	outlines, ids := map[int64]*outline{}, []int64{0} // a list must not be empty
	for i := range page {
		if o := &page[i]; r.excess(*o) == "" {
			o.Size = o.Stored // SQLite compresses nothing
			outlines[o.ID] = o
			ids = append(ids, o.ID)
		}
	}
	if !r.postgres {
		return nil
	}
	unpacked, text := sizeColumns("runtime", "r")
	versionsUnpacked, versionsText := sizeColumns("runtime_version", "v")
	query := `WITH unpacked AS MATERIALIZED (
			SELECT d.id, CAST(pg_catalog.sum(d.size) AS pg_catalog.int8) AS whole,
				CAST(coalesce(pg_catalog.sum(CASE WHEN d.size <= ?3 THEN d.size END), 0) AS pg_catalog.int8) AS size
			FROM (
				SELECT r.id, c.size FROM ?0 AS r, LATERAL (VALUES ` + unpacked + `) AS c (size) WHERE r.id IN (?2)
				UNION ALL
				SELECT v.runtime, c.size FROM ?1 AS v, LATERAL (VALUES ` + versionsUnpacked + `) AS c (size) WHERE v.runtime IN (?2)
			) AS d GROUP BY d.id
		), text AS (
			SELECT u.id, c.size FROM unpacked AS u JOIN ?0 AS r ON r.id = u.id, LATERAL (VALUES ` + text + `) AS c (size) WHERE u.size <= ?4
			UNION ALL
			SELECT u.id, c.size FROM unpacked AS u JOIN ?1 AS v ON v.runtime = u.id, LATERAL (VALUES ` + versionsText + `) AS c (size) WHERE u.size <= ?4
		)
		SELECT u.id, u.size AS unpacked, u.whole + coalesce(t.size, 0) AS work, coalesce(t.sent, 0) AS sent FROM unpacked AS u LEFT JOIN (
			SELECT t.id, CAST(pg_catalog.sum(t.size) AS pg_catalog.int8) AS size,
				CAST(pg_catalog.sum(CASE WHEN t.size <= ?5 THEN t.size END) AS pg_catalog.int8) AS sent
			FROM text AS t GROUP BY t.id) AS t ON t.id = u.id`
	var found []struct{ ID, Unpacked, Work, Sent int64 }
	err := r.db.NewRaw(query, r.rows("runtime"), r.rows("runtime_version"), bun.List(ids), maxUnpacked, MaxDefinitionsSize, MaxDefinitionSize).
		Scan(ctx, &found)
	for _, f := range found {
		o := outlines[f.ID]
		o.Unpacked, o.Size, o.Work = f.Unpacked, f.Sent, f.Work
	}
	return err
}

// sizeColumns returns rows of VALUES: the unpacked size of each document of a row, and the
// size of each long column as text. A column that is not sent counts as 0.
func sizeColumns(table, alias string) (unpacked, texts string) {
	var whole, text []string
	for _, name := range slices.Sorted(maps.Keys(longColumns[table])) {
		column := alias + "." + name
		size := "pg_catalog.octet_length(" + column + ")"
		over := fmt.Sprintf("CASE WHEN %s > %d THEN 0", size, MaxDefinitionSize)
		if kind := longColumns[table][name]; kind == documentColumn || kind == optionalDocument {
			size = "pg_catalog.octet_length(" + column + "::pg_catalog.text)"
			over = fmt.Sprintf("CASE WHEN %s > %d THEN 0", storedSize(column), MaxDefinitionStored)
			whole = append(whole, "("+over+" ELSE "+unpackedSize(column)+" END)")
			over += fmt.Sprintf(" WHEN %s > %d THEN 0", unpackedSize(column), maxUnpacked)
		}
		text = append(text, "("+over+" ELSE "+size+" END)")
	}
	return strings.Join(whole, ", "), strings.Join(text, ", ")
}

// storedSize returns the size of a column as it is stored, which Postgres knows without
// unpacking it.
func storedSize(column string) string { return "pg_catalog.pg_column_size(" + column + ")" }

// unpackedSize returns the size of a document unpacked. The empty path selects the whole
// document without rendering it as text.
func unpackedSize(column string) string {
	return "pg_catalog.pg_column_size(" + column + " OPERATOR(pg_catalog.#>) '{}'::pg_catalog.text[])"
}

// pageOf returns how many of the first definitions one page holds.
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

// readPage reads definitions by the ids of their rows. A definition that is too large gets
// metadata with that fault, and its row is not read.
func (r *Runtimes) readPage(ctx context.Context, page []outline) (map[int64]metadata.Definition, error) {
	defs := map[int64]metadata.Definition{}
	ids := []int64{0} // a list must not be empty
	versions := 0
	for _, o := range page {
		if reason := r.excess(o); reason != "" {
			defs[o.ID] = metadata.Definition{Ref: o.Ref, Name: cutRef(o.Ref), Distributions: metadata.UnreadDistributions(reason)}
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
	byRuntime := map[int64][]schema.RuntimeVersion{}
	if versions > 0 {
		found, err := r.versions.ofRuntimes(ctx, ids, versions)
		if err != nil {
			return nil, err
		}
		for _, v := range found {
			byRuntime[v.Runtime] = append(byRuntime[v.Runtime], v)
		}
	}
	for i := range rows {
		defs[rows[i].ID] = definitionOf(&rows[i], byRuntime[rows[i].ID])
	}
	return defs, nil
}

// commandsOf returns the number of a definition's verification commands.
func commandsOf(def *metadata.Definition) (n int) {
	count := func(d *metadata.Distributions) {
		if d.Verification != nil {
			n += len(d.Verification.Commands)
		}
	}
	count(&def.Distributions)
	for i := range def.Versions {
		count(&def.Versions[i].Distributions)
	}
	return n
}

// cutRef shortens a ref for a message: SQL may have written a ref of any length.
func cutRef(ref string) string {
	const most = 100
	if len(ref) > most {
		return strings.ToValidUTF8(ref[:most], "") + "…"
	}
	return ref
}

// A columnKind decides what replaces a column that is too large to read.
type columnKind int

const (
	// documentColumn is replaced by its size, which package document reads as a fault.
	documentColumn columnKind = iota
	// optionalColumn and optionalDocument are replaced by NULL.
	optionalColumn
	optionalDocument
	// nameColumn is replaced by its beginning, which is still too long for a name.
	nameColumn
	// textColumn is replaced by its beginning: the login of a host may write any text.
	textColumn
	// reportColumn and metaColumn are replaced by an object with LeftOutKey.
	reportColumn
	metaColumn
)

// LeftOutKey is the only key of the object that replaces a document of a worker which is too
// large to read. Its value is the size in bytes.
const LeftOutKey = "left_out_bytes"

// longColumns lists the columns that can be long, by table.
var longColumns = map[string]map[string]columnKind{
	"runtime": {
		"pack_ref": optionalColumn, "name": nameColumn, "description": optionalColumn, "digest": optionalColumn,
		"aliases": documentColumn, "distributions": documentColumn, "execution_config": documentColumn, "installation": optionalDocument,
	},
	"runtime_version": {"distributions": documentColumn, "execution_config": documentColumn, "meta": optionalDocument},
	"capability_change": {
		"worker_name": textColumn, "runtime_ref": textColumn, "name": textColumn, "old_version": textColumn, "new_version": textColumn,
		"detail": textColumn,
	},
	"worker": {"capabilities": reportColumn, "meta": metaColumn},
	"worker_runtime": {
		"runtime_ref": textColumn, "name": textColumn, "outcome": textColumn, "source": textColumn, "version": textColumn,
		"version_raw": textColumn, "sort_key": textColumn, "path": textColumn, "real_path": textColumn, "detail": textColumn,
		"hint": textColumn, "evidence": optionalDocument,
	},
}

// storedSizes adds up the stored sizes of a table's long columns, which costs nothing.
func (d dialect) storedSizes(table, alias string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(longColumns[table])) {
		column := alias + "." + name
		parts = append(parts, d.pick("coalesce("+storedSize(column)+"::pg_catalog.int8, 0)", "coalesce(octet_length("+column+"), 0)"))
	}
	return strings.Join(parts, " + ")
}

// boundColumn returns the expression that reads a column. A column that is too large is
// not sent.
func (d dialect) boundColumn(kind columnKind, column string) string {
	if kind == nameColumn {
		return d.pick(`pg_catalog."left"(`+column+`, 4097)`, `substr(`+column+`, 1, 4097)`)
	}
	if kind == textColumn {
		return d.pick(`pg_catalog."left"(`+column+`, 8192)`, `substr(`+column+`, 1, 8192)`)
	}
	most, stored := MaxDefinitionSize, MaxDefinitionStored
	switch kind {
	case reportColumn:
		most, stored = MaxReport, MaxReport
	case metaColumn:
		stored = MaxDefinitionSize
	}
	replacement := func(size string) string {
		switch kind {
		case documentColumn:
			return d.pick(`pg_catalog.concat(E'\n', `+size+`)`, `char(10) || `+size)
		case reportColumn, metaColumn:
			return d.pick(`pg_catalog.concat('{"`+LeftOutKey+`": ', `+size+`, '}')`, `'{"`+LeftOutKey+`": ' || `+size+` || '}'`)
		}
		return "NULL"
	}
	when := func(size string, most int) string {
		return " WHEN " + size + " > " + strconv.Itoa(most) + " THEN " + replacement(size)
	}
	if !d.postgres {
		return "CASE" + when("octet_length("+column+")", most) + " ELSE " + column + " END"
	}
	// First what is known without unpacking the column or rendering it as text.
	over := when(storedSize(column), stored)
	if kind != optionalColumn {
		over += when(unpackedSize(column), 4*most)
	}
	// OFFSET keeps the planner from rendering the text once for each use.
	return "CASE" + over + " ELSE (SELECT CASE" + when("pg_catalog.octet_length(whole.text)", most) +
		" ELSE whole.text END FROM (SELECT " + column + "::pg_catalog.text AS text OFFSET 0) AS whole) END"
}
