package store

import (
	"context"
	"encoding/json"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// Packs is the repository of packs.
type Packs struct{ table[schema.Pack] }

// PackChanges holds the columns that an update writes: the ones that are set. Nil writes
// NULL to a nullable column, {} to a document and an empty list to a list.
type PackChanges struct {
	Label       metadata.Optional[string]
	Description metadata.Optional[*string]
	Version     metadata.Optional[string]
	ConfSchema  metadata.Optional[json.RawMessage]
	Config      metadata.Optional[json.RawMessage]
	Meta        metadata.Optional[json.RawMessage]
	Tags        metadata.Optional[[]string]
	RuntimeDeps metadata.Optional[[]string]
	IsStandard  metadata.Optional[bool]
}

// Create adds a pack and sets the values that the database generates. Errors:
// ErrDuplicate, ErrInvalid.
func (p *Packs) Create(ctx context.Context, row *schema.Pack) error {
	return p.fail("insert", row.Ref, p.insert(ctx, row))
}

// Upsert adds a pack, or replaces all values of the pack with that ref except id and
// created. Errors: ErrInvalid.
func (p *Packs) Upsert(ctx context.Context, row *schema.Pack) error {
	return p.fail("upsert", row.Ref, p.upsert(ctx, row))
}

// Get returns the pack with an id. Errors: ErrNotFound.
func (p *Packs) Get(ctx context.Context, id int64) (*schema.Pack, error) {
	row, err := p.one(ctx, "pack.id = ?", id)
	return row, p.fail("get", id, err)
}

// ByRef returns the pack with a ref. Errors: ErrNotFound.
func (p *Packs) ByRef(ctx context.Context, ref string) (*schema.Pack, error) {
	row, err := p.one(ctx, "? = ?", p.text("pack.ref"), ref)
	return row, p.fail("get", ref, err)
}

// List returns packs ordered by ref.
func (p *Packs) List(ctx context.Context, page Page) ([]schema.Pack, error) {
	return p.many(ctx, p.page(page), page.After)
}

// Update writes the columns that are set in changes, and updated, and returns the new row.
// Errors: ErrNotFound, ErrInvalid.
func (p *Packs) Update(ctx context.Context, ref string, changes PackChanges) (*schema.Pack, error) {
	row := new(schema.Pack)
	var c changeSet
	change(&c, "label", changes.Label, &row.Label)
	change(&c, "description", changes.Description, &row.Description)
	change(&c, "version", changes.Version, &row.Version)
	change(&c, "conf_schema", document(changes.ConfSchema), &row.ConfSchema)
	change(&c, "config", document(changes.Config), &row.Config)
	change(&c, "meta", document(changes.Meta), &row.Meta)
	change(&c, "tags", list(changes.Tags), &row.Tags)
	change(&c, "runtime_deps", list(changes.RuntimeDeps), &row.RuntimeDeps)
	change(&c, "is_standard", changes.IsStandard, &row.IsStandard)
	err := p.update(ctx, row, c, "? = ?", p.text("pack.ref"), ref)
	if err != nil {
		return nil, p.fail("update", ref, err)
	}
	return row, nil
}
