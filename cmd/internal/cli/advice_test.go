package cli_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// The libraries report facts, and the programs add what to type.
func TestAdvice(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("x"), "x"},
		{&migrations.PendingError{Schema: "public", State: migrations.StateLegacy, Pending: []string{"1"}},
			"pending: 1; see what would happen with `attune migrate plan`, then run `attune migrate up`"},
		{fmt.Errorf("check the database: %w", &migrations.VersionError{AppliedBy: "9.1.0"}),
			"with attune 9.1.0; that release undoes it with `attune migrate down`"},
		{&migrations.UseError{Migration: migrations.Baseline, Blockers: []string{"table pack holds 1 row"}, Forcible: true, Named: true},
			"nothing was changed; `attune migrate down " + migrations.Baseline + " --force` drops them, and no migration brings them back: keep a backup"},
		{&migrations.UseError{Forcible: true}, "; `attune migrate down --force` drops them"},
		{&migrations.UseError{}, "nothing was changed; remove these first"},
		{fmt.Errorf("%w: process 1", migrations.ErrLocked), "process 1; or wait longer with --lock-timeout"},
		{fmt.Errorf("%w:\n  column x", migrations.ErrLoss), "\n  column x\n`attune migrate down --force` gives it up"},
		{stateError(t, "CREATE TABLE worker (id INTEGER, salary REAL)"),
			"needs a file of its own; create one with `attune migrate up --database sqlite:PATH`"},
		{stateError(t, "CREATE TABLE runtime (id INTEGER, ref TEXT, name TEXT, distributions TEXT)"),
			"from a backup; or name another file with --database sqlite:PATH"},
	} {
		if got := cli.Advised(c.err); !strings.Contains(got+"\n", c.want) {
			t.Errorf("%T: got %q, want %q", c.err, got, c.want)
		}
	}
}

// Only a database can make these errors.
func TestAdviceForSchemas(t *testing.T) {
	db := testdb.EmptyPostgres(t)
	run := func(statements ...string) {
		for _, s := range statements {
			if _, err := db.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	up := func(schema string) error {
		m, err := migrations.New(db.DB, migrations.Config{Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Up(t.Context())
		return err
	}
	wants := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.HasSuffix(cli.Advised(err), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	run("CREATE TABLE worker (id bigint, salary bigint)")
	wants(up("public"), "attune needs a schema of its own; create one with `attune migrate up --schema attune`")
	run("DROP TABLE worker", "CREATE SCHEMA other")
	if err := up("other"); err != nil {
		t.Fatal(err)
	}
	wants(up("public"), "; use that one with --schema, or another database for the new ones")
	m, err := migrations.New(db.DB, migrations.Config{Schema: "public"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Check(t.Context())
	wants(err, "they are in other; name it with --schema")
	run("DROP TABLE other.sensor CASCADE")
	wants(up("other"), "or drop the remains; then run `attune migrate up` again")
	run("DROP SCHEMA other CASCADE")
	for _, schema := range []string{"one", "two"} {
		run(
			"CREATE SCHEMA "+schema,
			"CREATE TABLE "+schema+".runtime (id bigint, ref text, name text, distributions jsonb)",
			"CREATE TABLE "+schema+".pack (id bigint, ref text, version text)",
		)
	}
	wants(up(""), "one, two; name one with --schema")
}

func stateError(t *testing.T, statement string) error {
	db := testdb.EmptySQLite(t)
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	m, err := migrations.New(db.DB, migrations.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Up(t.Context())
	return err
}
