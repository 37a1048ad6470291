package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// Definitions returns the runtimes with their versions, ordered by ref, the newest version
// first. It includes rows whose metadata is malformed or that are too large; their Fault
// explains why they cannot be used. Definitions beyond MaxDefinitions or
// MaxDefinitionsSize are left out and named in the log; BoundedDefinitions returns their
// names. A database without definitions is named in the log too, as hosts detect nothing.
//
// It runs four statements for a usual installation, and three more for each further
// 64 KiB; on SQLite one less. On Postgres they read one snapshot, in a transaction of
// their own. On SQLite, or in a caller's transaction of another isolation level,
// concurrent writes can show in part.
func (s *Store) Definitions(ctx context.Context) ([]metadata.Definition, error) {
	defs, leftOut, err := s.BoundedDefinitions(ctx)
	if text := leftOut.String(); text != "" {
		s.Runtimes.log().WarnContext(ctx, text)
	} else if err == nil && len(defs) == 0 {
		s.Runtimes.log().WarnContext(ctx, "the database has no runtimes, so hosts detect nothing; load a pack", "schema", s.Runtimes.schema)
	}
	return defs, err
}

// BoundedDefinitions returns what Definitions returns, and what is left out instead of
// logging it.
func (s *Store) BoundedDefinitions(ctx context.Context) ([]metadata.Definition, Omission, error) {
	defs, leftOut, err := s.Runtimes.read(ctx)
	if err != nil {
		return nil, Omission{}, fmt.Errorf("read definitions: %w", s.Runtimes.classify("find", err))
	}
	return defs, leftOut, nil
}

// ofRuntimes returns at most most versions of some runtimes, newest first.
func (v *RuntimeVersions) ofRuntimes(ctx context.Context, runtimes []int64, most int) ([]schema.RuntimeVersion, error) {
	return v.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("runtime_version.runtime IN (?)", bun.List(runtimes)).
			OrderExpr("? DESC, runtime_version.id", v.bytewise("runtime_version.sort_key")).Limit(int64(most))
	})
}

// Definition returns one runtime with its versions. Errors: ErrNotFound.
func (r *Runtimes) Definition(ctx context.Context, ref string) (*metadata.Definition, error) {
	if !storable(ref) {
		return nil, r.fail("get", ref, ErrNotFound)
	}
	defs, _, err := r.read(ctx, ref)
	switch {
	case err != nil:
		return nil, r.fail("get", ref, err)
	case len(defs) == 0:
		return nil, r.fail("get", ref, ErrNotFound)
	}
	return &defs[0], nil
}

// definitionOf converts a row and its versions to a definition.
func definitionOf(row *schema.Runtime, versions []schema.RuntimeVersion) metadata.Definition {
	def := metadata.Definition{
		Ref:             row.Ref,
		PackRef:         textOf(row.PackRef),
		Name:            row.Name,
		Aliases:         row.Aliases,
		Description:     textOf(row.Description),
		Distributions:   row.Distributions,
		Installation:    row.Installation,
		ExecutionConfig: row.ExecutionConfig,
	}
	for _, v := range versions {
		def.Versions = append(def.Versions, metadata.VersionDefinition{
			Version:         v.Version,
			IsDefault:       v.IsDefault,
			Distributions:   v.Distributions,
			ExecutionConfig: v.ExecutionConfig,
			Meta:            nullIfEmpty(v.Meta),
		})
	}
	return def
}

// rowsOf converts a definition to rows. It leaves Pack and Digest of the runtime, and
// Runtime and SortKey of the versions, unset; UpsertDefinition sets them. Unknown keys are
// kept in distributions and execution_config only.
func rowsOf(def *metadata.Definition) (*schema.Runtime, []schema.RuntimeVersion) {
	row := &schema.Runtime{
		Ref:             def.Ref,
		PackRef:         orNull(def.PackRef),
		Name:            def.Name,
		Aliases:         def.Aliases,
		Description:     orNull(def.Description),
		Distributions:   def.Distributions,
		Installation:    def.Installation,
		ExecutionConfig: def.ExecutionConfig,
	}
	versions := make([]schema.RuntimeVersion, len(def.Versions))
	for i, v := range def.Versions {
		versions[i] = schema.RuntimeVersion{
			Version:         v.Version,
			IsDefault:       v.IsDefault,
			Distributions:   v.Distributions,
			ExecutionConfig: v.ExecutionConfig,
			Meta:            v.Meta,
		}
	}
	return row, versions
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// nullIfEmpty returns raw, or nil for {}, the column's default.
func nullIfEmpty(raw json.RawMessage) json.RawMessage {
	if string(raw) == "{}" {
		return nil
	}
	return raw
}

// UpsertDefinition writes a definition and its versions in one transaction. It replaces all
// values and versions of the runtime with that ref. The row belongs to the pack named by
// PackRef, or else by the first part of the ref, if that pack exists. digest identifies a
// definition that a pack loads; nil keeps the row's digest. Errors: ErrInvalid; then
// nothing is written.
func (r *Runtimes) UpsertDefinition(
	ctx context.Context, def *metadata.Definition, digest *string,
) (*schema.Runtime, error) {
	if err := cmp.Or(def.Validate(), def.Contradictions()); err != nil {
		return nil, r.fail("upsert", def.Ref, fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	row, versions := rowsOf(def)
	row.Digest = digest
	if row.PackRef == nil {
		row.PackRef = orNull(metadata.PackOf(def.Ref))
	}
	var keep []string
	if digest == nil {
		keep = []string{"digest"}
	}
	err := r.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		in := *r
		in.db = tx
		pack, err := in.packID(ctx, *row.PackRef)
		if err != nil {
			return err
		}
		row.Pack = pack
		if err := in.upsert(ctx, row, keep...); err != nil {
			return err
		}
		inVersions := *r.versions
		inVersions.db = tx
		return inVersions.replace(ctx, row.ID, versions)
	})
	if err != nil {
		return nil, r.fail("upsert", def.Ref, err)
	}
	return row, nil
}

// packID returns the id of the pack with ref, or nil if it does not exist.
func (d dialect) packID(ctx context.Context, ref string) (*int64, error) {
	var ids []int64
	err := d.db.NewRaw("SELECT id FROM ? WHERE ? = ?", d.of("pack"), d.text("ref"), ref).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return &ids[0], nil
}

// replace writes versions as the only versions of a runtime. Versions that stay keep their
// ids.
func (v *RuntimeVersions) replace(ctx context.Context, runtime int64, versions []schema.RuntimeVersion) error {
	stay := []int64{}
	for i := range versions {
		versions[i].Runtime = runtime
		if err := v.Upsert(ctx, &versions[i]); err != nil {
			return err
		}
		stay = append(stay, versions[i].ID)
	}
	expr, name, alias := v.into()
	q := v.db.NewDelete().Model((*schema.RuntimeVersion)(nil)).ModelTableExpr(expr, name, alias).
		Where("runtime = ?", runtime)
	if len(stay) > 0 {
		q = q.Where("id NOT IN (?)", bun.List(stay))
	}
	_, err := q.Exec(ctx)
	return err
}
