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
	"github.com/attune-go/attune/schema/capability"
)

// Capabilities holds what a host has, both as a document and as rows. The two must agree,
// and are written in one transaction.
type Capabilities struct {
	// Document is the capability document.
	Document json.RawMessage
	// Runtimes are the rows of worker_runtime. The store sets ID, Worker, Runtime, Active,
	// Prerelease, SortKey, Created and Updated.
	//
	// Rows that are not listed are deleted, except the last negative result of a runtime
	// that is listed. If the document names its definitions, a runtime that was not found
	// explains a loss and gets no row. VerifiedAt and UnconfirmedSince are by the host's clock. While a row
	// stays unconfirmed, its first UnconfirmedSince is kept.
	Runtimes []schema.WorkerRuntime
	// At is the time of the call by the host's clock. Defaults to time.Now. The store shifts
	// the rows' times by its difference from the database's clock.
	At time.Time
}

// Report writes the capabilities of a running worker and returns the changes since the
// previous report, in the order of the history. It always writes the document, but only
// the rows that differ.
//
// The same transaction adds each change to capability_change and, on Postgres, sends one
// notification on ChangeChannel. Errors: ErrNotFound; ErrSuperseded if the row belongs to
// another instance; ErrInvalid. Then nothing is written.
func (w *Workers) Report(ctx context.Context, id int64, instance string, caps Capabilities) ([]schema.CapabilityChange, error) {
	if err := caps.check(); err != nil {
		return nil, w.fail("report", id, err)
	}
	document, err := w.tainted(caps.Document)
	if err != nil {
		return nil, w.fail("report", id, err)
	}
	var changes []schema.CapabilityChange
	err = w.inReportTx(ctx, func(ctx context.Context, w *Workers) error {
		row := new(schema.Worker)
		if err := w.writeDocument(ctx, row, id, instance, document); err != nil {
			return w.explainMissing(ctx, id, err)
		}
		var err error
		changes, err = w.writeRuntimes(ctx, row, caps)
		return err
	})
	if err != nil {
		return nil, w.fail("report", id, err)
	}
	return changes, nil
}

// writeDocument writes the document of an instance and reads the worker's row back.
func (w *Workers) writeDocument(ctx context.Context, row *schema.Worker, id int64, instance string, document json.RawMessage) error {
	if w.layout.Guest() {
		return w.reportGuest(ctx, row, id, instance, document)
	}
	return w.db.NewRaw("UPDATE ? AS worker SET capabilities = ? ? WHERE worker.id = ? AND ? = ? RETURNING ?",
		w.of("worker"), string(document), w.setUpdated(), id, w.text("worker.instance"), instance, w.columns()).Scan(ctx, row)
}

// inTx runs fn in a transaction, or in a savepoint if w is in one, with a Workers over it.
func (w *Workers) inTx(ctx context.Context, fn func(ctx context.Context, w *Workers) error) error {
	return w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		in := *w
		in.db, in.runtimes.db, in.changes.db = tx, tx, tx
		return fn(ctx, &in)
	})
}

// reportAttempts is the number of attempts to write a report whose definitions are deleted
// meanwhile.
const reportAttempts = 5

// inReportTx runs fn in a transaction that writes rows of worker_runtime. It runs fn again
// if a definition was deleted after fn looked it up.
func (w *Workers) inReportTx(ctx context.Context, fn func(ctx context.Context, w *Workers) error) error {
	for attempt := 1; ; attempt++ {
		err := w.inTx(ctx, fn)
		if attempt == reportAttempts || !errors.Is(w.classify("delete", err), ErrReferenced) {
			return err
		}
	}
}

// check returns an error if the document is malformed or differs from the rows.
func (c *Capabilities) check() error {
	if c.Document == nil {
		return fmt.Errorf("%w capabilities: %w", ErrInvalid, errJSON)
	}
	if err := checkDocument(c.Document); err != nil {
		return fmt.Errorf("%w capabilities: %w", ErrInvalid, err)
	}
	var document struct {
		Runtimes []string `json:"runtimes"`
	}
	if err := json.Unmarshal(c.Document, &document); err != nil {
		return fmt.Errorf("%w capabilities: runtimes must be a list of names", ErrInvalid)
	}
	if err := checkLabels(c.Document); err != nil {
		return fmt.Errorf("%w capabilities: %w", ErrInvalid, err)
	}
	var rows []string
	for _, r := range c.Runtimes {
		if r.Outcome == schema.OutcomeAvailable {
			rows = append(rows, r.Name)
		}
	}
	for _, list := range []*[]string{&rows, &document.Runtimes} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if !slices.Equal(rows, document.Runtimes) {
		return fmt.Errorf("%w capabilities: the document lists %q but the rows list %q", ErrInvalid, document.Runtimes, rows)
	}
	return nil
}

// explainMissing returns why a statement for a worker and its instance found no row.
func (w *Workers) explainMissing(ctx context.Context, id int64, err error) error {
	if !errors.Is(w.classify("find", err), ErrNotFound) {
		return err
	}
	row, err := w.one(ctx, "worker.id = ?", id)
	if err != nil {
		return err
	}
	if row.Instance == nil {
		return fmt.Errorf("%w: the row has no instance", ErrSuperseded)
	}
	return fmt.Errorf("%w by instance %s", ErrSuperseded, *row.Instance)
}

// about returns what the document says about itself, or the zero document if it cannot be read.
func (c *Capabilities) about() *capability.Document {
	var document struct {
		Source      capability.Source       `json:"source"`
		Definitions *capability.Definitions `json:"definitions"`
	}
	if json.Unmarshal(c.Document, &document) != nil {
		return new(capability.Document)
	}
	return &capability.Document{Source: document.Source, Definitions: document.Definitions}
}
