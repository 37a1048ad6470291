package metadata_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"os"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite"

	"github.com/attune-go/attune/schema/metadata"
)

var (
	_ sql.Scanner   = (*metadata.Distributions)(nil)
	_ driver.Valuer = metadata.Distributions{}
	_ sql.Scanner   = (*metadata.ExecutionConfig)(nil)
	_ driver.Valuer = metadata.ExecutionConfig{}
	_ sql.Scanner   = (*metadata.Aliases)(nil)
	_ driver.Valuer = metadata.Aliases{}
)

// A row has the three documents as a bun model has them.
type row struct {
	bun.BaseModel `bun:"table:metadata_sql_test"`

	ID              int64                    `bun:"id,pk"`
	Aliases         metadata.Aliases         `bun:"aliases,type:jsonb,notnull"`
	Distributions   metadata.Distributions   `bun:"distributions,type:jsonb,notnull"`
	ExecutionConfig metadata.ExecutionConfig `bun:"execution_config,type:jsonb,notnull"`
}

// eachDatabase runs a test on a temporary table in SQLite, and in Postgres if there is one.
func eachDatabase(t *testing.T, test func(t *testing.T, db bun.IDB)) {
	open := func(driver, url string) *sql.DB {
		db, err := sql.Open(driver, url)
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1) // a temporary table belongs to its connection
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	create := func(t *testing.T, db bun.IDB, column string) {
		_, err := db.ExecContext(context.Background(), "CREATE TEMPORARY TABLE metadata_sql_test (id bigint PRIMARY KEY, aliases "+
			column+", distributions "+column+", execution_config "+column+")")
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		db := bun.NewDB(open("sqlite", ":memory:"), sqlitedialect.New())
		create(t, db, "text")
		test(t, db)
	})
	t.Run("postgres", func(t *testing.T) {
		url := os.Getenv("ATTUNE_TEST_DATABASE_URL")
		if url == "" {
			t.Skip("ATTUNE_TEST_DATABASE_URL names no Postgres")
		}
		db := bun.NewDB(open("pgx", url), pgdialect.New())
		create(t, db, "jsonb")
		test(t, db)
	})
}

func TestColumnsComeBackAsTheyWent(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db bun.IDB) {
		ctx := context.Background()
		d := decodeDefinition(t, full)
		in := []row{{ID: 1, Aliases: d.Aliases, Distributions: d.Distributions, ExecutionConfig: d.ExecutionConfig}, {ID: 2}}
		if _, err := db.NewInsert().Model(&in).Exec(ctx); err != nil {
			t.Fatal(err)
		}
		var out []row
		if err := db.NewSelect().Model(&out).Order("id").Scan(ctx); err != nil {
			t.Fatal(err)
		}
		for i := range in {
			want := metadata.Definition{Aliases: in[i].Aliases, Distributions: in[i].Distributions, ExecutionConfig: in[i].ExecutionConfig}
			got := metadata.Definition{Aliases: out[i].Aliases, Distributions: out[i].Distributions, ExecutionConfig: out[i].ExecutionConfig}
			if got.Digest() != want.Digest() {
				t.Errorf("row %d: got %+v\nwant %+v", in[i].ID, out[i], in[i])
			}
		}
		var texts [3]string
		err := db.NewRaw("SELECT CAST(aliases AS text), CAST(distributions AS text), CAST(execution_config AS text) FROM metadata_sql_test WHERE id = 2").
			Scan(ctx, &texts[0], &texts[1], &texts[2])
		if want := [3]string{"[]", "{}", "{}"}; err != nil || texts != want {
			t.Errorf("the zero documents are stored as %q, %v; want %q", texts, err, want)
		}
	})
}

func TestMalformedColumnsAreKept(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db bun.IDB) {
		ctx := context.Background()
		_, err := db.ExecContext(ctx, `INSERT INTO metadata_sql_test VALUES (1, '{"a": 1}', '["python3", "python"]', '7'), (2, '["x"]', '{}', '{}')`)
		if err != nil {
			t.Fatal(err)
		}
		var out []row
		if err := db.NewSelect().Model(&out).Order("id").Scan(ctx); err != nil || len(out) != 2 {
			t.Fatalf("one malformed row hides the others: %d rows, %v", len(out), err)
		}
		if err := out[1].Distributions.Fault(); err != nil {
			t.Errorf("the good row has fault %v", err)
		}
		d := metadata.Definition{Ref: "core.x", Name: "X", Aliases: out[0].Aliases, Distributions: out[0].Distributions,
			ExecutionConfig: out[0].ExecutionConfig}
		want := "/aliases: must be a list, got an object; /distributions: must be an object, got a list; " +
			"/execution_config: must be an object, got a number"
		if err := d.Fault(); err == nil || err.Error() != want {
			t.Errorf("fault %v\nwant %s", err, want)
		}
		if err := d.Validate(); err == nil || err.Error() != want {
			t.Errorf("validate: %v\nwant %s", err, want)
		}
		if d.CapabilityName() != "x" {
			t.Errorf("the capability name comes from the malformed aliases: %q", d.CapabilityName())
		}
		if _, ok := metadata.NewIndex([]metadata.Definition{d}).Resolve("core.x"); !ok {
			t.Error("it cannot be found any more")
		}
		text, err := d.MarshalJSON()
		wantText := `{"ref":"core.x","name":"X","aliases":{"a": 1},"distributions":["python3", "python"],"execution_config":7}`
		if err != nil || string(text) != wantText {
			t.Errorf("encoded as %s, %v\nwant %s", text, err, wantText)
		}

		// Written again, they stay the same.
		if _, err := db.NewUpdate().Model(&out[0]).WherePK().Exec(ctx); err != nil {
			t.Fatal(err)
		}
		var texts [3]string
		err = db.NewRaw("SELECT CAST(aliases AS text), CAST(distributions AS text), CAST(execution_config AS text) FROM metadata_sql_test WHERE id = 1").
			Scan(ctx, &texts[0], &texts[1], &texts[2])
		if want := [3]string{`{"a": 1}`, `["python3", "python"]`, "7"}; err != nil || texts != want {
			t.Errorf("written back as %q, %v; want %q", texts, err, want)
		}
	})
}

// SQLite stores any text in the column, even if it is not JSON.
func TestScanTakesAnyText(t *testing.T) {
	for _, src := range []any{"", "{", []byte{0xff}, `{"a": 1, "a": 2}`} {
		var d metadata.Distributions
		var a metadata.Aliases
		if err := d.Scan(src); err != nil || d.Fault() == nil {
			t.Errorf("scan %q: %v, fault %v", src, err, d.Fault())
		}
		if err := a.Scan(src); err != nil || a.Fault() == nil {
			t.Errorf("scan aliases %q: %v, fault %v", src, err, a.Fault())
		}
		want := src
		if b, ok := src.([]byte); ok {
			want = string(b)
		}
		if v, err := d.Value(); err != nil || v != want {
			t.Errorf("value of %q: %q, %v", src, v, err)
		}
		if v, err := a.Value(); err != nil || v != want {
			t.Errorf("value of aliases %q: %q, %v", src, v, err)
		}
	}
}

func TestScanNull(t *testing.T) {
	d := metadata.Distributions{MinVersion: "1"}
	if err := d.Scan(nil); err != nil || !d.IsZero() {
		t.Errorf("got %+v, %v", d, err)
	}
	if err := d.Scan(7); err == nil {
		t.Error("a number was scanned")
	}
}

// Scanned bytes belong to the driver, which reuses them.
func TestScanKeepsNothingOfTheDrivers(t *testing.T) {
	src := []byte(`["malformed"]`)
	var d metadata.Distributions
	if err := d.Scan(src); err != nil {
		t.Fatal(err)
	}
	copy(src, "XXXXXXXX")
	if v, err := d.Value(); err != nil || v != `["malformed"]` {
		t.Errorf("got %q, %v", v, err)
	}
}

func TestValueRefusesFaults(t *testing.T) {
	d := metadata.Distributions{Verification: &metadata.Verification{Commands: []metadata.Command{{Binary: "x"}, {Binary: "x", Pattern: "(a"}}}}
	want := "/verification/commands/1/pattern: missing closing )"
	if v, err := d.Value(); err == nil || err.Error() != want {
		t.Errorf("got %v, %v; want %s", v, err, want)
	}
	if v, err := (metadata.Aliases{"a", "a"}).Value(); err == nil {
		t.Errorf("aliases that are there twice became %v", v)
	}
}
