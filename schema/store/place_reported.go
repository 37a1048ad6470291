package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
)

// A definedRuntime says whom a definition concerns, and since when.
type definedRuntime struct {
	Ref     string
	Created time.Time
	Roles   json.RawMessage
}

// addNotReported adds the runtimes that a worker has no row of although its host did not look for them. What its
// host looked for without success has no row either. The documents of workers with a row of each runtime are not
// read. A platform's worker and a host whose settings list its runtimes have what they list, and no more.
func (w *Workers) addNotReported(
	ctx context.Context, at map[int64]*requirement.Facts, refs []string, reported map[reportedRuntime]bool,
) error {
	var lacking []int64
	for id, f := range at {
		lacks := func(ref string) bool { return !reported[reportedRuntime{id, ref}] }
		if !f.NeverReported && slices.ContainsFunc(refs, lacks) {
			lacking = append(lacking, id)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	defined, err := w.defined(ctx, refs)
	if err != nil {
		return err
	}
	var rows []struct {
		ID   int64
		Read *string
	}
	read := bun.Safe(w.pick("worker.capabilities -> CAST('definitions' AS pg_catalog.text) ->> CAST('read' AS pg_catalog.text)",
		"json_extract(worker.capabilities, '$.definitions.read')"))
	source := bun.Safe(w.pick("worker.capabilities ->> CAST('source' AS pg_catalog.text)", "json_extract(worker.capabilities, '$.source')"))
	err = w.db.NewRaw("SELECT worker.id, ? AS read FROM ? AS worker WHERE worker.id IN (?) AND worker.identity IS NOT NULL AND ? = ?",
		read, w.rows("worker"), bun.List(lacking), source, capability.SourceDatabase).Scan(ctx, &rows)
	if err != nil {
		return err
	}
	for _, row := range rows {
		f := at[row.ID]
		for _, d := range defined {
			if !reported[reportedRuntime{row.ID, d.Ref}] && !d.concerns(f.Role, row.Read) {
				f.NotReported = append(f.NotReported, d.Ref)
			}
		}
	}
	return nil
}

// defined returns when and for which roles runtimes were defined, by ref. Those without a row are left out.
func (w *Workers) defined(ctx context.Context, refs []string) ([]definedRuntime, error) {
	roles := bun.Safe(w.pick("runtime.distributions -> CAST('roles' AS pg_catalog.text)", "json_extract(runtime.distributions, '$.roles')"))
	var found []definedRuntime
	err := w.db.NewRaw("SELECT runtime.ref, runtime.created, ? AS roles FROM ? AS runtime WHERE ? IN (?) ORDER BY ?",
		roles, w.rows("runtime"), w.text("runtime.ref"), bun.List(refs), w.bytewise("runtime.ref")).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("read definitions: %w", err)
	}
	return found, nil
}

// concerns reports whether a host of a role looked for the runtime when it had read the definitions at a time.
func (d *definedRuntime) concerns(role requirement.Role, read *string) bool {
	var roles []metadata.Role
	if json.Unmarshal(d.Roles, &roles) == nil && len(roles) > 0 && role != requirement.Hybrid && !slices.Contains(roles, metadata.Role(role)) {
		return false
	}
	if read == nil {
		return false // each runtime that it looked for has a row
	}
	at, err := time.Parse(time.RFC3339Nano, *read)
	return err == nil && !d.Created.After(at)
}
