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

// Definitions returns the runtimes with their versions, newest version first, in
// the order of their refs. A row whose metadata is malformed is there too: its
// Fault says why it cannot be used. So is one that is too large alone. What goes
// beyond MaxDefinitions or MaxDefinitionsSize is not there, and is named in the
// log; BoundedDefinitions returns it.
//
// It takes four statements for the definitions of a usual installation, and three more
// for each 64 KiB of a larger one; on SQLite one less. On Postgres they read one
// snapshot, in a transaction of their own; on SQLite, or in a transaction of the caller's
// with another isolation, what others write between them may show in part.
func (s *Store) Definitions(ctx context.Context) ([]metadata.Definition, error) {
	defs, leftOut, err := s.BoundedDefinitions(ctx)
	if text := leftOut.String(); text != "" {
		s.Runtimes.log().WarnContext(ctx, text)
	}
	return defs, err
}

// BoundedDefinitions is Definitions for a caller that reports what is left out.
func (s *Store) BoundedDefinitions(ctx context.Context) ([]metadata.Definition, LeftOut, error) {
	defs, leftOut, err := s.Runtimes.read(ctx)
	if err != nil {
		return nil, LeftOut{}, fmt.Errorf("read definitions: %w", s.Runtimes.classify("find", err))
	}
	return defs, leftOut, nil
}

// ofRuntimes returns versions of some runtimes, at most so many, newest first.
func (v *RuntimeVersions) ofRuntimes(ctx context.Context, runtimes []int64, most int) ([]schema.RuntimeVersion, error) {
	return v.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("runtime_version.runtime IN (?)", bun.List(runtimes)).
			OrderExpr("? DESC, runtime_version.id", v.bytewise("runtime_version.sort_key")).Limit(int64(most))
	})
}

// Definition returns a runtime with its versions, as Definitions does. Errors:
// ErrNotFound.
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

// DefinitionOf is a row and its versions as a definition.
func DefinitionOf(row *schema.Runtime, versions []schema.RuntimeVersion) metadata.Definition {
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
			Meta:            withoutEmpty(v.Meta),
		})
	}
	return def
}

// RowsOf is a definition as rows. The row belongs to no pack yet: Pack is nil,
// and so are Digest, and Runtime and SortKey of the versions; UpsertDefinition
// fills them in. Keys of the definition that are unknown have no column, except
// in distributions and execution_config.
func RowsOf(def *metadata.Definition) (*schema.Runtime, []schema.RuntimeVersion) {
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

// withoutEmpty is a document, or nil for {}, which is how the column says that
// there is none.
func withoutEmpty(raw json.RawMessage) json.RawMessage {
	if string(raw) == "{}" {
		return nil
	}
	return raw
}

// UpsertDefinition writes a definition with its versions in one transaction:
// the runtime of its ref gets all its values, and exactly its versions. The row
// belongs to the pack of PackRef, or of the ref's first part, if that pack
// exists. digest is for a definition that a pack loads; nil keeps what the row
// has. Errors: ErrInvalid; nothing is written then.
func (r *Runtimes) UpsertDefinition(
	ctx context.Context, def *metadata.Definition, digest *string,
) (*schema.Runtime, error) {
	if err := cmp.Or(def.Validate(), def.Contradictions()); err != nil {
		return nil, r.fail("upsert", def.Ref, fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	row, versions := RowsOf(def)
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
		of := *r.versions
		of.db = tx
		return of.replace(ctx, row.ID, versions)
	})
	if err != nil {
		return nil, r.fail("upsert", def.Ref, err)
	}
	return row, nil
}

// packID is the id of a pack, nil when there is none of that ref.
func (d dialect) packID(ctx context.Context, ref string) (*int64, error) {
	var ids []int64
	err := d.db.NewRaw("SELECT id FROM ? WHERE ref = ?", d.of("pack"), ref).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return &ids[0], nil
}

// replace makes versions the versions of a runtime. Those that stay keep their
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
	expr, name, alias := v.from()
	q := v.db.NewDelete().Model((*schema.RuntimeVersion)(nil)).ModelTableExpr(expr, name, alias).
		Where("runtime = ?", runtime)
	if len(stay) > 0 {
		q = q.Where("id NOT IN (?)", bun.List(stay))
	}
	_, err := q.Exec(ctx)
	return err
}
