package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"
)

// TestConcurrentDefinitionsMark checks that the mark changes when a transaction commits, whatever others
// do meanwhile, and that none waits for another.
func TestConcurrentDefinitionsMark(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	mark := func() string {
		t.Helper()
		m, err := e.DefinitionsMark(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	begin := func(level sql.IsolationLevel) bun.Tx {
		t.Helper()
		tx, err := e.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	write := func(tx bun.Tx, query string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := tx.ExecContext(ctx, e.sql(query)); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	commit := func(tx bun.Tx) {
		t.Helper()
		before := mark()
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if mark() == before {
			t.Error("a commit left the mark as it was")
		}
	}
	const insert = `INSERT INTO {schema}.runtime (ref, name) VALUES ('a.r%d', 'R')`
	e.exec(t, fmt.Sprintf(insert, 0))

	// Later transactions commit first, under any level, some after a change in a savepoint.
	first, second, third := begin(sql.LevelReadCommitted), begin(sql.LevelReadCommitted), begin(sql.LevelRepeatableRead)
	write(third, `SELECT 1 FROM {schema}.runtime`) // its snapshot
	write(first, fmt.Sprintf(insert, 1))
	write(second, fmt.Sprintf(insert, 2))
	write(second, `SAVEPOINT s`)
	write(second, `UPDATE {schema}.runtime SET name = 'S' WHERE ref = 'a.r2'`)
	write(second, `ROLLBACK TO s`)
	commit(second)
	write(third, fmt.Sprintf(insert, 3))
	fourth := begin(sql.LevelSerializable)
	write(fourth, fmt.Sprintf(insert, 4))
	commit(third)
	commit(fourth)
	commit(first)

	// Only what was changed in a savepoint that was undone counts not.
	undone := begin(sql.LevelReadCommitted)
	write(undone, `SAVEPOINT s`)
	write(undone, fmt.Sprintf(insert, 5))
	write(undone, `ROLLBACK TO s`)
	before := mark()
	if err := undone.Commit(); err != nil || mark() != before {
		t.Errorf("nothing was changed, and the mark was: %v", err)
	}
	again := begin(sql.LevelReadCommitted)
	write(again, `SAVEPOINT s`)
	write(again, fmt.Sprintf(insert, 5))
	write(again, `ROLLBACK TO s`)
	write(again, fmt.Sprintf(insert, 6))
	commit(again)

	// A login that holds every row of the mark delays nobody.
	holder := begin(sql.LevelReadCommitted)
	write(holder, `SELECT 1 FROM {schema}.definition_mark FOR UPDATE`)
	free := begin(sql.LevelReadCommitted)
	write(free, fmt.Sprintf(insert, 7))
	commit(free)
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}

	// Without the trigger, every row is read, and switching it off and on changes the mark as well.
	before = mark()
	e.exec(t, "ALTER TABLE {schema}.runtime DISABLE TRIGGER definition_mark_count")
	e.exec(t, "UPDATE {schema}.runtime SET name = 'Other'")
	e.exec(t, "ALTER TABLE {schema}.runtime ENABLE ALWAYS TRIGGER definition_mark_count")
	if mark() == before {
		t.Error("a change while the trigger was off was lost")
	}
	replica := begin(sql.LevelReadCommitted)
	write(replica, "SET LOCAL session_replication_role = replica")
	write(replica, "UPDATE {schema}.runtime SET name = 'Replicated'")
	commit(replica)

	// As many rows as there were writers at once, not as many as there were changes.
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range 25 {
				if _, err := e.ExecContext(t.Context(), e.sql(fmt.Sprintf(insert, 100+25*n+i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := count(t, e, "definition_mark"); n > 10 {
		t.Errorf("the mark has %d rows", n)
	}
	if sum := value[int](t, e, "SELECT CAST(pg_catalog.sum(changes) AS pg_catalog.int4) FROM {schema}.definition_mark"); sum < 100 {
		t.Errorf("the mark counts %d changes, want at least 100", sum)
	}
}
