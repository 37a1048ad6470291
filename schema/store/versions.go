package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// RuntimeVersions is the repository of the versions that packs declare for their runtimes.
// The store computes each row's sort key and ignores the one in the argument.
type RuntimeVersions struct{ table[schema.RuntimeVersion] }

// RuntimeVersionChanges holds the columns that an update writes: the ones that are set.
type RuntimeVersionChanges struct {
	IsDefault       metadata.Optional[bool]
	Distributions   metadata.Optional[metadata.Distributions]
	ExecutionConfig metadata.Optional[metadata.ExecutionConfig]
	// Meta is written as {} if it is nil.
	Meta metadata.Optional[json.RawMessage]
}

// Create adds a version and sets the values that the database generates. Errors:
// ErrDuplicate, ErrInvalid.
func (v *RuntimeVersions) Create(ctx context.Context, row *schema.RuntimeVersion) error {
	if err := setSortKey(row); err != nil {
		return v.fail("insert", row.Version, err)
	}
	return v.fail("insert", row.Version, v.insert(ctx, row))
}

// Upsert adds a version, or replaces all values of the row with that runtime and version
// except id and created. Errors: ErrInvalid.
func (v *RuntimeVersions) Upsert(ctx context.Context, row *schema.RuntimeVersion) error {
	if err := setSortKey(row); err != nil {
		return v.fail("upsert", row.Version, err)
	}
	return v.fail("upsert", row.Version, v.upsert(ctx, row))
}

func setSortKey(row *schema.RuntimeVersion) error {
	parsed, err := version.Parse(row.Version)
	if err != nil {
		return fmt.Errorf("%w version: %w", ErrInvalid, err)
	}
	row.SortKey = parsed.Key()
	return nil
}

// Get returns the version with an id. Errors: ErrNotFound.
func (v *RuntimeVersions) Get(ctx context.Context, id int64) (*schema.RuntimeVersion, error) {
	row, err := v.one(ctx, "runtime_version.id = ?", id)
	return row, v.fail("get", id, err)
}

// ByRef returns a version of the runtime with a ref. It compares the text of the version.
// Errors: ErrNotFound.
func (v *RuntimeVersions) ByRef(ctx context.Context, runtimeRef, version string) (*schema.RuntimeVersion, error) {
	row, err := v.one(ctx,
		"? = ? AND runtime_version.runtime = (SELECT r.id FROM ? AS r WHERE ? = ?)",
		v.text("runtime_version.version"), version, v.rows("runtime"), v.text("r.ref"), runtimeRef)
	return row, v.fail("get", runtimeRef+" "+version, err)
}

// ByRuntime returns the versions of the runtime with a ref, newest first. It returns
// nothing for a runtime that does not exist.
func (v *RuntimeVersions) ByRuntime(ctx context.Context, runtimeRef string) ([]schema.RuntimeVersion, error) {
	return v.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Join("JOIN ? AS runtime ON runtime.id = runtime_version.runtime", v.rows("runtime")).
			Where("? = ?", v.text("runtime.ref"), runtimeRef).
			OrderExpr("? DESC, runtime_version.id", v.bytewise("runtime_version.sort_key"))
	}, runtimeRef)
}

// Update writes the columns that are set in changes, and updated, and returns the new row.
// Errors: ErrNotFound, ErrInvalid.
func (v *RuntimeVersions) Update(
	ctx context.Context, id int64, changes RuntimeVersionChanges,
) (*schema.RuntimeVersion, error) {
	row := new(schema.RuntimeVersion)
	var c changeSet
	change(&c, "is_default", changes.IsDefault, &row.IsDefault)
	change(&c, "distributions", changes.Distributions, &row.Distributions)
	change(&c, "execution_config", changes.ExecutionConfig, &row.ExecutionConfig)
	change(&c, "meta", document(changes.Meta), &row.Meta)
	if err := v.update(ctx, row, c, "runtime_version.id = ?", id); err != nil {
		return nil, v.fail("update", id, err)
	}
	return row, nil
}

// Delete removes a version. Errors: ErrNotFound, ErrReferenced.
func (v *RuntimeVersions) Delete(ctx context.Context, id int64) error {
	return v.fail("delete", id, v.removeID(ctx, id))
}
