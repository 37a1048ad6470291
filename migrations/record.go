package migrations

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/schema/version"
)

// A record is one row of attune_migrations. Programs that are older than the row read it, so its
// columns must keep their meaning forever.
type record struct {
	ID       string    `bun:"id"`
	Applied  time.Time `bun:"applied"`
	Adopted  bool      `bun:"adopted"`
	Requires string    `bun:"requires"`
	Program  string    `bun:"program"`
}

const createRecordsPostgres = `CREATE TABLE %s (
    id       text PRIMARY KEY,
    applied  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    adopted  boolean NOT NULL,
    requires text NOT NULL,
    program  text NOT NULL
)`

const createRecordsSQLite = `CREATE TABLE %s (
    id       TEXT PRIMARY KEY NOT NULL,
    applied  TIMESTAMP NOT NULL DEFAULT (strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', 'now')),
    adopted  BOOLEAN NOT NULL,
    requires TEXT NOT NULL,
    program  TEXT NOT NULL
)`

// table returns the qualified name of a table.
func table(schema, name string) string { return quote(schema) + "." + quote(name) }

func createRecords(ctx context.Context, tx bun.IDB, schema string) error {
	ddl := createRecordsPostgres
	if tx.Dialect().Name() == dialect.SQLite {
		ddl = createRecordsSQLite
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf(ddl, table(schema, recordTable)))
	return err
}

// shareRecords makes the owner of runtime the owner of the new table, and grants SELECT to
// every role that has it on runtime: services read the table when they start.
func shareRecords(ctx context.Context, tx bun.IDB, in *inspection) error {
	var to struct {
		Owner   string
		Foreign bool
		Readers []string `bun:",array"`
	}
	err := tx.NewRaw(`
SELECT pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text AS owner,
       pg_catalog.pg_get_userbyid(c.relowner) <> current_user AS foreign,
       ARRAY(SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::pg_catalog.regrole::pg_catalog.text END
             FROM pg_catalog.aclexplode(c.relacl) x
             WHERE x.privilege_type = 'SELECT' AND x.grantee <> c.relowner ORDER BY 1) AS readers
FROM pg_catalog.pg_class c WHERE c.oid = ?`, in.relations["runtime"].oid).Scan(ctx, &to)
	if err != nil {
		return err
	}
	records := table(in.name, recordTable)
	for _, reader := range to.Readers { // quoted by Postgres
		if _, err := tx.ExecContext(ctx, "GRANT SELECT ON "+records+" TO "+reader); err != nil {
			return err
		}
	}
	if !to.Foreign {
		return nil
	}
	_, err = tx.ExecContext(ctx, "ALTER TABLE "+records+" OWNER TO "+quote(to.Owner))
	return err
}

func dropRecords(ctx context.Context, tx bun.IDB, schema string) error {
	_, err := tx.ExecContext(ctx, "DROP TABLE "+table(schema, recordTable))
	return err
}

// readRecords returns the records, oldest migration first.
func readRecords(ctx context.Context, db bun.IDB, schema string) ([]record, error) {
	var records []record
	err := db.NewRaw("SELECT id, applied, adopted, requires, program FROM ? ORDER BY id",
		bun.Safe(table(schema, recordTable))).Scan(ctx, &records)
	return records, err
}

func insertRecord(ctx context.Context, tx bun.IDB, schema string, r record) error {
	_, err := tx.NewRaw("INSERT INTO ? (id, adopted, requires, program) VALUES (?, ?, ?, ?)",
		bun.Safe(table(schema, recordTable)), r.ID, r.Adopted, r.Requires, r.Program).Exec(ctx)
	return err
}

func deleteRecord(ctx context.Context, tx bun.IDB, schema, id string) error {
	_, err := tx.NewRaw("DELETE FROM ? WHERE id = ?", bun.Safe(table(schema, recordTable)), id).Exec(ctx)
	return err
}

// isRecorded reports whether a migration was applied or adopted.
func (in *inspection) isRecorded(id string) bool { return in.record(id) != nil }

func (in *inspection) record(id string) *record {
	for i := range in.records {
		if in.records[i].ID == id {
			return &in.records[i]
		}
	}
	return nil
}

// checkVersion returns an error if a record requires a newer program. An unknown migration does not
// matter by itself, because its record names the programs that can use it.
func (m *Migrator) checkVersion(in *inspection) error {
	for _, r := range in.records {
		if _, known := m.step(r.ID); !known && isNewer(r.Requires, program) {
			return &VersionError{Schema: in.name, Migration: r.ID, Requires: r.Requires, AppliedBy: r.Program, Program: program}
		}
	}
	return nil
}

// isNewer reports whether version a is above b. A version that cannot be parsed comes from a newer
// program.
func isNewer(a, b string) bool {
	x, err := version.Parse(a)
	if err != nil {
		return true
	}
	y, err := version.Parse(b)
	return err != nil || x.Compare(y) > 0
}
