package cli

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// readLayout reads where the tables are, and makes the store for them.
func (d *Database) readLayout(ctx context.Context) error {
	st, err := store.Open(ctx, d.DB, store.Config{Schema: d.Schema})
	if err == nil {
		d.Store, d.config = st, store.Config{Layout: st.Layout()}
	}
	return err
}

// Config returns the configuration of the store.
func (d *Database) Config() store.Config { return d.config }

// Index returns the definitions by their names, and logs which are left out.
func (d *Database) Index(ctx context.Context) (*metadata.Index, Definitions, error) {
	found, err := d.Definitions(ctx)
	if text := found.LeftOut.String(); text != "" {
		slog.WarnContext(ctx, text)
	}
	index := metadata.NewIndex(found.Definitions)
	index.Retire(found.Retired)
	return index, found, err
}

// Guest reports whether a platform made the tables.
func (d *Database) Guest() bool { return d.config.Layout.Guest() }

// SetReportOnly decides whether workers are kept from executions of the platform. Nil leaves
// it to the layout.
func (d *Database) SetReportOnly(reportOnly *bool) {
	d.config.ReportOnly = reportOnly
	d.Store = store.New(d.DB, d.config)
}

// Definitions are what a database defines, and what the embedded core pack adds in a guest.
type Definitions struct {
	packs.Completion
	// LeftOut counts the rows that were not read.
	LeftOut store.Omission
}

// Definitions reads the definitions. In a guest, whose tables may have changed since, it
// reads the layout anew.
func (d *Database) Definitions(ctx context.Context) (found Definitions, err error) {
	st, err := d.current(ctx)
	if err != nil {
		return found, err
	}
	if found.Definitions, found.LeftOut, err = st.BoundedDefinitions(ctx); err != nil || !d.Guest() {
		return found, err
	}
	// What is answered from rows must agree with these definitions. On a standby, or without the right to
	// write, services do it.
	if err := st.Workers.ResolveDeclared(ctx); err != nil {
		slog.DebugContext(ctx, "could not resolve declared runtimes", "error", err)
	}
	retired, err := st.Runtimes.Retired(ctx)
	if err != nil {
		return found, fmt.Errorf("read definitions: %w", err)
	}
	found.Completion = packs.Complete(found.Definitions, retired)
	return found, nil
}

// BoundedDefinitions returns the definitions and what is left out.
func (d *Database) BoundedDefinitions(ctx context.Context) ([]metadata.Definition, store.Omission, error) {
	found, err := d.Definitions(ctx)
	return found.Definitions, found.LeftOut, err
}

// DefinitionsMark returns a text that changes with the definitions.
func (d *Database) DefinitionsMark(ctx context.Context) (string, error) {
	st, err := d.current(ctx)
	if err != nil {
		return "", err
	}
	return st.DefinitionsMark(ctx)
}

// DefinitionsState returns the mark of the definitions and the database's time.
func (d *Database) DefinitionsState(ctx context.Context) (capability.Definitions, error) {
	st, err := d.current(ctx)
	if err != nil {
		return capability.Definitions{}, err
	}
	return st.DefinitionsState(ctx)
}

// current returns a store for the tables as they are now.
func (d *Database) current(ctx context.Context) (*store.Store, error) {
	if !d.Guest() {
		return d.Store, nil
	}
	return store.Open(ctx, d.DB, store.Config{Schema: d.Schema})
}
