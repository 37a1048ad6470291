package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// Capabilities is what a host has, once as a document and once as rows: both say
// the same, and both are written in one transaction.
type Capabilities struct {
	// Document is the capability document.
	Document json.RawMessage
	// Runtimes are the rows of worker_runtime. ID, Worker, Runtime, Active,
	// Prerelease, SortKey, Created and Updated are the store's to fill in.
	//
	// A runtime that is not mentioned has no definition for this worker (any
	// more): its rows go, as do installations and failures that are not mentioned.
	// Of a runtime that is there and whose negative is not mentioned, the last
	// negative stays. VerifiedAt and UnconfirmedSince are by
	// the host's clock; once a row is unconfirmed, the first moment stays.
	Runtimes []schema.WorkerRuntime
	// At is the host's clock at the time of the call; the zero time is now. The
	// times of the rows are moved by how far it is off the database's.
	At time.Time
}

// Report writes what a running worker has found by verifying again, and returns
// what changed since the last time, in the order of the history. Rows that say
// the same as before are not written. The document is always written: who has
// nothing new to say calls nothing.
//
// Every change is a row of capability_change, and on Postgres one notification
// on ChangeChannel, in the same transaction. Errors: ErrNotFound; ErrSuperseded
// when the row is another instance's; ErrInvalid. Nothing is written then.
func (w *Workers) Report(ctx context.Context, id int64, instance string, caps Capabilities) ([]schema.CapabilityChange, error) {
	if err := caps.check(); err != nil {
		return nil, w.fail("report", id, err)
	}
	var changes []schema.CapabilityChange
	err := w.reporting(ctx, func(ctx context.Context, w *Workers) error {
		row := new(schema.Worker)
		err := w.db.NewRaw("UPDATE ? AS worker SET capabilities = ? ? WHERE worker.id = ? AND worker.instance = ? RETURNING ?",
			w.of("worker"), string(caps.Document), w.touched(), id, instance, w.columns()).Scan(ctx, row)
		if err != nil {
			return w.lost(ctx, id, err)
		}
		changes, err = w.writeRuntimes(ctx, row, caps)
		return err
	})
	if err != nil {
		return nil, w.fail("report", id, err)
	}
	return changes, nil
}

// inTx runs fn in a transaction, or in a part of the one that w is in, with a w
// whose statements are part of it.
func (w *Workers) inTx(ctx context.Context, fn func(ctx context.Context, w *Workers) error) error {
	return w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		in := *w
		in.db, in.runtimes.db, in.changes.db = tx, tx, tx
		return fn(ctx, &in)
	})
}

// reportAttempts is how often a report is tried whose definitions are deleted
// while it is written.
const reportAttempts = 5

// reporting is inTx for what writes rows of worker_runtime. They refer to the
// definitions that there were when they were looked up; where one was deleted
// since, all is done again.
func (w *Workers) reporting(ctx context.Context, fn func(ctx context.Context, w *Workers) error) error {
	for attempt := 1; ; attempt++ {
		err := w.inTx(ctx, fn)
		if attempt == reportAttempts || !errors.Is(w.classify("delete", err), ErrReferenced) {
			return err
		}
	}
}

// check refuses a document that is none, and rows that do not say what it says.
func (c *Capabilities) check() error {
	if c.Document == nil {
		return fmt.Errorf("%w capabilities: %w", ErrInvalid, errJSON)
	}
	if err := checkDocument(c.Document); err != nil {
		return fmt.Errorf("%w capabilities: %w", ErrInvalid, err)
	}
	var said struct {
		Runtimes []string `json:"runtimes"`
	}
	if err := json.Unmarshal(c.Document, &said); err != nil {
		return fmt.Errorf("%w capabilities: runtimes is not a list of names", ErrInvalid)
	}
	var rows []string
	for _, r := range c.Runtimes {
		if r.Outcome == schema.OutcomeAvailable {
			rows = append(rows, r.Name)
		}
	}
	for _, list := range []*[]string{&rows, &said.Runtimes} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if !slices.Equal(rows, said.Runtimes) {
		return fmt.Errorf("%w capabilities: the document lists %q, and the rows %q", ErrInvalid, said.Runtimes, rows)
	}
	return nil
}

// lost says why a statement for a worker and its instance found no row.
func (w *Workers) lost(ctx context.Context, id int64, err error) error {
	if !errors.Is(w.classify("find", err), ErrNotFound) {
		return err
	}
	row, err := w.one(ctx, "worker.id = ?", id)
	if err != nil {
		return err
	}
	if row.Instance == nil {
		return fmt.Errorf("%w: no instance has the row now", ErrSuperseded)
	}
	return fmt.Errorf("%w by instance %s", ErrSuperseded, *row.Instance)
}

// source is what the document says of where it comes from; empty: nothing.
func (c *Capabilities) source() string {
	var said struct {
		Source string `json:"source"`
	}
	if json.Unmarshal(c.Document, &said) != nil {
		return "" // it is of another form; nothing but a reason depends on it
	}
	return said.Source
}
