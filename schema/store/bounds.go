package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// Bounds of what Definitions reads. The database holds to them before it sends
// anything, so that no row costs a host more than this.
const (
	// MaxDefinitions is how many definitions are read.
	MaxDefinitions = 1000
	// MaxDefinitionsSize is how many bytes they have in sum, with their versions,
	// as the database writes or stores them, whichever is more. Each row counts
	// rowSize more.
	MaxDefinitionsSize = 8 << 20
	// MaxDefinitionSize is how many bytes one definition has with its versions, and
	// any column that is read alone: what a database takes as one document.
	MaxDefinitionSize = metadata.MaxText
	// MaxVersions is how many versions of one definition are read.
	MaxVersions = 100
)

const (
	// rowSize is what a row costs beside its text.
	rowSize = 512
	// maxUnpacked is how many bytes Postgres unpacks to choose, about: what is too
	// large alone counts here, and not in MaxDefinitionsSize.
	maxUnpacked = 64 << 20
	// suspect is how much a row of the core pack takes where it is stored before
	// the others are looked at first.
	suspect = 64 << 10
)

// LeftOut is what Definitions did not read, because there are too many
// definitions or they are too large in sum.
type LeftOut struct {
	// Count of Total definitions are left out; 0 is none.
	Count, Total int
	// Refs are the first of them, in the order in which definitions are chosen.
	Refs []string
}

// String says what is left out, for people; nothing where nothing is.
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

// LeftOut returns what Definitions leaves out at the moment. The core pack's
// definitions are chosen first, then the others by ref; one that is too large
// alone is not left out, but read as malformed.
func (s *Store) LeftOut(ctx context.Context) (LeftOut, error) {
	const named = 3
	r := s.Runtimes
	var rows []struct {
		Ref   string
		Left  int
		Total int
	}
	err := r.db.NewRaw(`? SELECT sized.ref, count(*) OVER () AS "left", (SELECT count(*) FROM sized) AS total
		FROM sized WHERE sized.n > (SELECT count(*) FROM chosen) ORDER BY sized.n LIMIT ?`, r.chosen(), named).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return LeftOut{}, r.failed("look for definitions that are left out", err)
	}
	out := LeftOut{Count: rows[0].Left, Total: rows[0].Total}
	for _, row := range rows {
		out.Refs = append(out.Refs, cutRef(row.Ref))
	}
	return out, nil
}

// cutRef is a ref for a message: a row that was written by SQL may have any.
func cutRef(ref string) string {
	const most = 100
	if len(ref) > most {
		return strings.ToValidUTF8(ref[:most], "") + "…"
	}
	return ref
}

func (t table[M]) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, t.classify("find", err))
}

// column is one column of a row that may be long.
type column struct {
	name string
	kind columnKind
}

type columnKind int

const (
	// document is JSON with a type that says what is wrong with it.
	documentColumn columnKind = iota
	// rawColumn is any JSON, kept for the platform.
	rawColumn
	// textColumn is text that may be null, nameColumn text that may not.
	textColumn
	nameColumn
	// keyColumn is text that is never cut.
	keyColumn
)

// long are the columns that bound what is read of a table's rows.
var long = map[string][]column{
	"runtime": {
		{"ref", keyColumn}, {"pack_ref", textColumn}, {"name", nameColumn}, {"description", textColumn}, {"digest", textColumn},
		{"aliases", documentColumn}, {"distributions", documentColumn}, {"execution_config", documentColumn}, {"installation", rawColumn},
	},
	"runtime_version": {
		{"version", keyColumn}, {"sort_key", keyColumn},
		{"distributions", documentColumn}, {"execution_config", documentColumn}, {"meta", rawColumn},
	},
}

// stored is how many bytes a column takes where it is stored, which costs nothing to
// know. On Postgres that may be 1 of 250 of what it has when it is read.
func (d dialect) stored(column string) string {
	return d.pick("coalesce(pg_catalog.pg_column_size("+column+"), 0)", "coalesce(octet_length("+column+"), 0)")
}

// size is how many bytes a column has as text. What is larger than any document is
// not turned into text to know it: a jsonb of 250 MB may have more than 1 GB of
// that, which is an error. A union with an empty one unpacks a jsonb and does
// nothing else.
func (d dialect) size(c column, name string) string {
	if !d.postgres || c.kind != documentColumn && c.kind != rawColumn {
		return d.pick("coalesce(pg_catalog.octet_length("+name+"), 0)", "coalesce(octet_length("+name+"), 0)")
	}
	const huge = 2 * MaxDefinitionSize // its form in jsonb may be longer than its text
	unpacked := fmt.Sprintf(`CASE pg_catalog.jsonb_typeof(%[1]s)
		WHEN 'object' THEN pg_catalog.pg_column_size(pg_catalog.jsonb_concat(%[1]s, '{}'))
		WHEN 'array' THEN pg_catalog.pg_column_size(pg_catalog.jsonb_concat(%[1]s, '[]'))
		ELSE pg_catalog.octet_length(pg_catalog.jsonb_extract_path_text(%[1]s, VARIADIC '{}')) END`, name)
	return fmt.Sprintf(`coalesce(CASE WHEN pg_catalog.pg_column_size(%[1]s) > %[2]d THEN pg_catalog.pg_column_size(%[1]s)
		WHEN %[3]s > %[2]d THEN %[3]s ELSE pg_catalog.octet_length(%[1]s::pg_catalog.text) END, 0)`, name, huge, unpacked)
}

// bounded is a column as it is read: of a document that is too large only how large it
// is, in the form that package document knows.
func (d dialect) bounded(c column, name string) string {
	size, text := d.size(c, name), d.pick(name+"::pg_catalog.text", name)
	instead := "NULL"
	switch c.kind {
	case keyColumn:
		return name
	case documentColumn:
		instead = d.pick(`pg_catalog.concat(E'\n', `+size+`)`, `char(10) || `+size)
	case nameColumn:
		instead, text = d.pick(`pg_catalog."left"(`+name+`, 4097)`, `substr(`+name+`, 1, 4097)`), name
	case textColumn:
		text = name
	}
	return fmt.Sprintf("CASE WHEN %s > %d THEN %s ELSE %s END", size, MaxDefinitionSize, instead, text)
}

// unless is the value of a column, or what stands for nothing where the condition
// holds.
func (d dialect) unless(condition string, c column, value string) string {
	nothing := "NULL"
	switch c.kind {
	case keyColumn, nameColumn:
		return value
	case documentColumn:
		nothing = "'{}'"
		if c.name == "aliases" {
			nothing = "'[]'"
		}
	}
	return "CASE WHEN " + condition + " THEN " + nothing + " ELSE " + value + " END"
}

// sum adds what of says of the long columns of a table that is called alias.
func sum(table, alias string, of func(c column, name string) string) string {
	var parts []string
	for _, c := range long[table] {
		parts = append(parts, of(c, alias+"."+c.name))
	}
	return strings.Join(parts, " + ")
}

// chosen begins a statement with the definitions that are read, as the table chosen:
// id, n, which is their order, versions, size, and excess for one that is too large
// alone or has too many versions. A ref narrows it to one.
//
// It costs nothing to know what a row takes where it is stored. What it has, which
// may be a hundred times as much, Postgres knows only when it has unpacked it; so
// there rows are looked at one after the other, until there is too much.
func (r *Runtimes) chosen(ref ...string) any {
	stored := func(_ column, name string) string { return r.stored(name) }
	where := bun.SafeQuery("")
	if len(ref) > 0 {
		where = bun.SafeQuery("WHERE r.ref = ?", ref[0])
	}
	measured := "(SELECT " + sum("runtime", "r", r.size) + " FROM ?0 AS r WHERE r.id = few.id) + coalesce((SELECT sum(" +
		sum("runtime_version", "v", r.size) + ") FROM ?1 AS v WHERE v.runtime = few.id), 0)"
	query := strings.NewReplacer(
		"{order}", string(r.bytewise("r.ref")),
		"{stored}", sum("runtime", "r", stored), "{version_stored}", sum("runtime_version", "v", stored),
		"{measured}", measured,
		"{row}", strconv.Itoa(rowSize), "{versions}", strconv.Itoa(MaxVersions), "{most}", strconv.Itoa(MaxDefinitions),
		"{suspect}", strconv.Itoa(suspect), "{unpacked}", strconv.Itoa(maxUnpacked), "{one}", strconv.Itoa(MaxDefinitionSize), "{all}", strconv.Itoa(MaxDefinitionsSize),
	).Replace(`WITH RECURSIVE sized AS (
			SELECT r.id, r.ref, {stored} + coalesce(v.stored, 0) AS stored, coalesce(v.versions, 0) AS versions, row_number() OVER (ORDER BY
				CASE WHEN r.ref NOT IN (?2) THEN 2 WHEN {stored} + coalesce(v.stored, 0) > {suspect} THEN 1 ELSE 0 END, {order}) AS n
			FROM ?0 AS r LEFT JOIN (
				SELECT v.runtime, count(*) AS versions, sum({version_stored}) AS stored FROM ?1 AS v GROUP BY v.runtime
			) AS v ON v.runtime = r.id ?3
		), few AS MATERIALIZED (
			SELECT sized.*, stored > {one} OR versions > {versions} AS alone FROM sized WHERE n <= {most}
		), ` + r.pick(`walk AS (
			SELECT 0::int8 AS id, 0::int8 AS n, 0::int8 AS versions, 0::numeric AS size, false AS excess, 0::numeric AS total, 0::numeric AS work
			UNION ALL
			SELECT f.id, f.n, f.versions, f.size, f.alone OR f.size > {one},
				w.total + CASE WHEN f.alone OR f.size > {one} THEN {row} ELSE {row} * (f.versions + 1) + f.size END,
				w.work + CASE WHEN f.alone THEN 0 ELSE f.size END
			FROM walk AS w CROSS JOIN LATERAL (
				SELECT few.id, few.n, few.versions, few.alone, CASE WHEN few.alone THEN few.stored::numeric ELSE {measured} END AS size
				FROM few WHERE few.n = w.n + 1 OFFSET 0
			) AS f WHERE w.total <= {all} AND w.work <= {unpacked}
		)`, `walk AS (
			SELECT id, n, versions, size, alone OR size > {one} AS excess,
				sum(CASE WHEN alone OR size > {one} THEN {row} ELSE {row} * (versions + 1) + size END) OVER (ORDER BY n) AS total
			FROM (SELECT few.*, CASE WHEN alone THEN stored ELSE {measured} END AS size FROM few) AS f
		)`) + `, chosen AS (
			SELECT id, n, versions, size, excess FROM walk WHERE n > 0 AND total <= {all}
		)`)
	return bun.SafeQuery(query, r.of("runtime"), r.of("runtime_version"), bun.List(metadata.CoreRefs()), where)
}

// read returns the definitions that are chosen.
func (r *Runtimes) read(ctx context.Context, ref ...string) ([]metadata.Definition, error) {
	var rows []struct {
		schema.Runtime
		Excess   bool
		Size     int64
		Versions int
	}
	err := r.db.NewRaw("? SELECT ?, chosen.excess, chosen.size, chosen.versions FROM chosen JOIN ? AS runtime ON runtime.id = chosen.id ORDER BY ?",
		r.chosen(ref...), r.selected("chosen.excess"), r.of("runtime"), r.bytewise("runtime.ref")).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	ids, most := []int64{}, 0
	for i := range rows {
		if !rows[i].Excess && rows[i].Versions > 0 {
			ids = append(ids, rows[i].ID)
			most += rows[i].Versions
		}
	}
	versions, err := r.versions.ofRuntimes(ctx, ids, most)
	if err != nil {
		return nil, err
	}
	of := map[int64][]schema.RuntimeVersion{}
	for _, v := range versions {
		of[v.Runtime] = append(of[v.Runtime], v)
	}
	defs := make([]metadata.Definition, len(rows))
	for i := range rows {
		row := &rows[i]
		defs[i] = DefinitionOf(&row.Runtime, of[row.ID])
		switch {
		case row.Excess && row.Versions > MaxVersions:
			defs[i].Distributions = metadata.Withheld(fmt.Sprintf("the definition has %d versions; at most %d are read", row.Versions, MaxVersions))
		case row.Excess:
			defs[i].Distributions = metadata.Withheld(fmt.Sprintf("the definition has %d bytes with its versions; at most %d are read", row.Size, MaxDefinitionSize))
		}
	}
	return defs, nil
}
