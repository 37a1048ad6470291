package transaction_test

import (
	"context"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema/database"
	_ "github.com/attune-go/attune/schema/database/sqlite"
	"github.com/attune-go/attune/schema/database/transaction"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A platform migrates its own tables and attune's in one transaction of database/sql.
func ExampleFromSQL() {
	ctx := context.Background()
	db, err := database.Open(ctx, database.Memory) // any *sql.DB
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	tx, err := db.DB.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback()

	if _, err := tx.ExecContext(ctx, "CREATE TABLE job (id integer PRIMARY KEY)"); err != nil {
		log.Fatal(err)
	}
	joined, err := transaction.FromSQL(ctx, tx, sqlitedialect.New())
	if err != nil {
		log.Fatal(err)
	}
	migrator, err := migrations.New(joined, migrations.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := migrator.Up(ctx); err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.New(db, store.Config{}).Runtimes.ByRef(ctx, "core.python"))
	// Output: <nil> get runtime "core.python": not found
}

// register registers a host and counts it in a table of the platform, or does neither.
func register(ctx context.Context, pool *pgxpool.Pool, name string) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "INSERT INTO host (name) VALUES ($1)", name); err != nil {
		return err
	}

	joined, release, err := transaction.FromPgx(ctx, tx)
	if err != nil {
		return err
	}
	defer release()
	workers := store.New(joined, store.Config{}).Workers
	if _, _, err := workers.Register(ctx, store.Registration{Name: name, Role: metadata.Worker}); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// The platform's statements and attune's are one transaction of a pgxpool.Pool.
func ExampleFromPgx() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://platform@db/platform")
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	if err := register(ctx, pool, "build-7"); err != nil {
		log.Fatal(err)
	}
}
