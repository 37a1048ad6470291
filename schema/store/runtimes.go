package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// Runtimes is the repository of runtimes.
type Runtimes struct {
	table[schema.Runtime]
	versions *RuntimeVersions
}

// RuntimeChanges holds the columns that an update writes: the ones that are set. Nil writes
// NULL to a nullable column. The ref cannot change, because sensors hold a copy of it.
type RuntimeChanges struct {
	Pack            metadata.Optional[*int64]
	PackRef         metadata.Optional[*string]
	Name            metadata.Optional[string]
	Aliases         metadata.Optional[metadata.Aliases]
	Description     metadata.Optional[*string]
	Distributions   metadata.Optional[metadata.Distributions]
	Installation    metadata.Optional[json.RawMessage]
	ExecutionConfig metadata.Optional[metadata.ExecutionConfig]
	Digest          metadata.Optional[*string]
}

// Create adds a runtime and sets the values that the database generates. Errors:
// ErrDuplicate, ErrInvalid.
func (r *Runtimes) Create(ctx context.Context, row *schema.Runtime) error {
	return r.fail("insert", row.Ref, r.insert(ctx, row))
}

// Upsert adds a runtime, or replaces all values of the runtime with that ref except id and
// created. Errors: ErrInvalid.
func (r *Runtimes) Upsert(ctx context.Context, row *schema.Runtime) error {
	return r.fail("upsert", row.Ref, r.upsert(ctx, row))
}

// Get returns the runtime with an id. Errors: ErrNotFound.
func (r *Runtimes) Get(ctx context.Context, id int64) (*schema.Runtime, error) {
	row, err := r.one(ctx, "runtime.id = ?", id)
	return row, r.fail("get", id, err)
}

// ByRef returns the runtime with a ref. Errors: ErrNotFound.
func (r *Runtimes) ByRef(ctx context.Context, ref string) (*schema.Runtime, error) {
	row, err := r.one(ctx, "? = ?", r.text("runtime.ref"), ref)
	return row, r.fail("get", ref, err)
}

// Created returns the time at which the row of a runtime was created, by the database's clock. It
// returns the zero time if the runtime has no row.
func (r *Runtimes) Created(ctx context.Context, ref string) (time.Time, error) {
	var created []time.Time
	if !storable(ref) {
		return time.Time{}, nil
	}
	err := r.db.NewRaw("SELECT runtime.created FROM ? AS runtime WHERE ? = ?", r.rows(r.name), r.text("runtime.ref"), ref).Scan(ctx, &created)
	if err != nil || len(created) == 0 {
		return time.Time{}, r.fail("get", ref, err)
	}
	return created[0].UTC(), nil
}

// CreatedTimes returns the time at which the row of each runtime was created, by ref and by the
// database's clock.
func (r *Runtimes) CreatedTimes(ctx context.Context) (map[string]time.Time, error) {
	var rows []struct {
		Ref     string
		Created time.Time
	}
	if err := r.db.NewRaw("SELECT runtime.ref, runtime.created FROM ? AS runtime", r.rows(r.name)).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read when runtimes were created: %w", err)
	}
	times := make(map[string]time.Time, len(rows))
	for _, row := range rows {
		times[row.Ref] = row.Created.UTC()
	}
	return times, nil
}

// List returns runtimes ordered by ref.
func (r *Runtimes) List(ctx context.Context, page Page) ([]schema.Runtime, error) {
	return r.many(ctx, r.page(page), page.After)
}

// Update writes the columns that are set in changes, and updated, and returns the new row.
// Errors: ErrNotFound, ErrInvalid.
func (r *Runtimes) Update(ctx context.Context, ref string, changes RuntimeChanges) (*schema.Runtime, error) {
	row := new(schema.Runtime)
	var c changeSet
	change(&c, "pack", changes.Pack, &row.Pack)
	change(&c, "pack_ref", changes.PackRef, &row.PackRef)
	change(&c, "name", changes.Name, &row.Name)
	change(&c, "aliases", changes.Aliases, &row.Aliases)
	change(&c, "description", changes.Description, &row.Description)
	change(&c, "distributions", changes.Distributions, &row.Distributions)
	change(&c, "installation", changes.Installation, &row.Installation)
	change(&c, "execution_config", changes.ExecutionConfig, &row.ExecutionConfig)
	change(&c, "digest", changes.Digest, &row.Digest)
	if err := r.update(ctx, row, c, "? = ?", r.text("runtime.ref"), ref); err != nil {
		return nil, r.fail("update", ref, err)
	}
	return row, nil
}

// Retired returns the refs of runtimes that a platform has retired. They are not among the
// definitions.
func (r *Runtimes) Retired(ctx context.Context) ([]string, error) {
	refs := []string{}
	if !r.layout.Has("runtime", "retired_at") {
		return refs, nil
	}
	if err := r.db.NewRaw("SELECT ref FROM ? WHERE retired_at IS NOT NULL ORDER BY ref", r.of(r.name)).Scan(ctx, &refs); err != nil {
		return nil, fmt.Errorf("list retired runtimes: %w", err)
	}
	return refs, nil
}
