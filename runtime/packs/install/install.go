// Package install loads packs into a database and unloads them. Values that an operator
// changed since the last load stay, and are reported.
package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// Options control Load and Unload. The zero value keeps the changes of operators.
type Options struct {
	// Force makes Load replace, and Unload delete, rows that operators changed.
	Force bool
	// DryRun reports without writing. If the database would refuse the writes of Load, its
	// error says so, beside the report.
	DryRun bool
}

// Load writes the pack and its definitions in one transaction. It leaves and reports
// rows that an earlier version of the pack defined.
//
// In a guest it writes nothing of a pack that the platform has: the error wraps
// store.ErrForeign, but for the core pack, whose embedded definitions count without rows.
// It leaves and reports runtimes that the platform has.
//
// Load keeps a copy of the definitions in pack.meta under "attune", so that the next
// load can tell an operator's changes from the pack's. A pack without a valid ref and version
// is store.ErrInvalid.
func Load(ctx context.Context, db bun.IDB, cfg store.Config, pack *packs.Pack, opts Options) (*Report, error) {
	if err := pack.PackFile.Validate(); err != nil {
		return nil, fmt.Errorf("load pack %q: %w: %w", pack.Ref, store.ErrInvalid, err)
	}
	report, err := load(ctx, db, cfg, pack, opts, nil)
	switch {
	case err != nil:
		report = nil
	case opts.DryRun: // only the writes show what the database refuses
		opts.DryRun = false
		if _, err = load(ctx, db, cfg, pack, opts, errDryRun); errors.Is(err, errDryRun) {
			return report, nil
		}
	}
	if err != nil {
		return report, fmt.Errorf("load pack %q: %w", pack.Ref, err)
	}
	return report, nil
}

// errDryRun rolls a load back.
var errDryRun = errors.New("dry run")

// load loads the pack in one transaction, and ends it with an error or with end.
func load(ctx context.Context, db bun.IDB, cfg store.Config, pack *packs.Pack, opts Options, end error) (*Report, error) {
	report := &Report{Pack: pack.Ref, DryRun: opts.DryRun}
	err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		l := &loader{st: store.New(tx, cfg), pack: pack, opts: opts, report: report}
		if err := l.run(ctx); err != nil {
			return err
		}
		return end
	})
	return report, err
}

type loader struct {
	st     *store.Store
	pack   *packs.Pack
	opts   Options
	report *Report
	// base holds the definitions last loaded, by ref.
	base map[string]json.RawMessage
	// adopted holds the refs of rows that existed before the pack was first loaded.
	// The pack's own ref means its own row.
	adopted map[string]bool
}

// A record is the copy that the loader keeps in pack.meta.
type record struct {
	Pack   json.RawMessage            `json:"pack,omitempty"`
	Loaded map[string]json.RawMessage `json:"loaded"`
	// Adopted holds the sorted refs of rows that existed before. Unloading leaves them.
	Adopted []string `json:"adopted,omitempty"`
}

const recordKey = "attune"

func (l *loader) run(ctx context.Context) error {
	row, err := l.lockPack(ctx)
	if err != nil {
		return err
	}
	meta, last, err := readMeta(row)
	if err != nil {
		return err
	}
	if l.guest() && !l.report.Created && meta[recordKey] == nil {
		l.report.Foreign = true
		if l.pack.Ref == metadata.CorePack {
			return nil
		}
		return fmt.Errorf("%w: row %d of pack", store.ErrForeign, row.ID)
	}
	l.base, l.adopted = last.Loaded, map[string]bool{}
	for _, ref := range last.Adopted {
		l.adopted[ref] = true
	}
	if _, before := meta[recordKey]; !before && !l.report.Created {
		l.adopted[l.pack.Ref] = true
	}
	now := record{Loaded: map[string]json.RawMessage{}}
	if now.Pack, err = l.mergePack(ctx, row, last.Pack); err != nil {
		return err
	}
	for i := range l.pack.Definitions {
		def := &l.pack.Definitions[i]
		foreign, err := l.definition(ctx, def)
		if err != nil {
			return fmt.Errorf("%s: %w", def.Ref, err)
		}
		if foreign {
			continue
		}
		if now.Loaded[def.Ref], err = json.Marshal(def); err != nil {
			return fmt.Errorf("%s: %w", def.Ref, err)
		}
	}
	if err := l.orphans(ctx, now.Loaded); err != nil {
		return err
	}
	if len(l.adopted) > 0 {
		now.Adopted = slices.Sorted(maps.Keys(l.adopted))
	}
	return l.saveRecord(ctx, meta, last, now)
}

// lockPack finds or creates the pack's row. It writes to the row first, so that a
// second load of the pack waits for this one.
func (l *loader) lockPack(ctx context.Context) (*schema.Pack, error) {
	row, err := l.st.Packs.ByRef(ctx, l.pack.Ref)
	if err == nil && l.guest() {
		if meta, _, _ := readMeta(row); meta[recordKey] == nil { // the platform's
			return row, nil
		}
	}
	if err == nil && !l.opts.DryRun {
		row, err = l.st.Packs.Update(ctx, l.pack.Ref, store.PackChanges{IsStandard: metadata.Some(row.IsStandard)})
	}
	if !errors.Is(err, store.ErrNotFound) {
		return row, err
	}
	l.report.Created = true
	row = &schema.Pack{
		Ref: l.pack.Ref, Label: l.pack.Label, Version: l.pack.Version,
		Description: nonEmpty(l.pack.Description), IsStandard: l.pack.Ref == metadata.CorePack,
	}
	if l.opts.DryRun {
		return row, nil
	}
	return row, l.st.Packs.Upsert(ctx, row)
}

// guest reports whether a platform owns the tables.
func (l *loader) guest() bool { return l.st.Layout().Guest() }

func nonEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func readMeta(row *schema.Pack) (meta map[string]json.RawMessage, last record, err error) {
	if len(row.Meta) > 0 {
		if err := json.Unmarshal(row.Meta, &meta); err != nil {
			return nil, last, fmt.Errorf("read pack.meta: %w", err)
		}
	}
	if text, ok := meta[recordKey]; ok {
		if err := json.Unmarshal(text, &last); err != nil {
			return nil, last, fmt.Errorf("read pack.meta/%s: %w", recordKey, err)
		}
	}
	if meta == nil {
		meta = map[string]json.RawMessage{}
	}
	return meta, last, nil
}

// saveRecord writes the record of this load if it differs from the last one.
func (l *loader) saveRecord(ctx context.Context, meta map[string]json.RawMessage, last, now record) error {
	lastDoc, err := toDoc(last)
	if err != nil {
		return err
	}
	nowDoc, err := toDoc(now)
	if err != nil {
		return err
	}
	if l.opts.DryRun || same(lastDoc, nowDoc) {
		return nil
	}
	if meta[recordKey], err = json.Marshal(now); err != nil {
		return err
	}
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	_, err = l.st.Packs.Update(ctx, l.pack.Ref, store.PackChanges{Meta: metadata.Some(json.RawMessage(text))})
	return err
}

// A packDoc holds the merged columns of a pack's own row.
type packDoc struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Version     string `json:"version"`
}

func (l *loader) mergePack(ctx context.Context, row *schema.Pack, last json.RawMessage) (json.RawMessage, error) {
	ours := packDoc{l.pack.Label, l.pack.Description, l.pack.Version}
	text, err := json.Marshal(ours)
	if err != nil {
		return nil, err
	}
	theirs := packDoc{Label: row.Label, Version: row.Version}
	if row.Description != nil {
		theirs.Description = *row.Description
	}
	base := theirs
	if len(last) > 0 {
		if err := json.Unmarshal(last, &base); err != nil {
			return nil, fmt.Errorf("read pack.meta/%s/pack: %w", recordKey, err)
		}
	}
	var changes store.PackChanges
	if l.opts.Force || theirs.Label == base.Label {
		changes.Label = metadata.Some(ours.Label)
	}
	if l.opts.Force || theirs.Description == base.Description {
		changes.Description = metadata.Some(nonEmpty(ours.Description))
	}
	changes.Version = metadata.Some(ours.Version)
	if ours == theirs || l.opts.DryRun {
		return text, nil
	}
	_, err = l.st.Packs.Update(ctx, l.pack.Ref, changes)
	return text, err
}

// orphans reports rows that an earlier load created and this pack no longer defines.
// They stay, because actions and sensors may use them. Their part of the record stays
// too, so that unloading the pack deletes them.
func (l *loader) orphans(ctx context.Context, loaded map[string]json.RawMessage) error {
	defined := map[string]bool{}
	for _, def := range l.pack.Definitions {
		defined[def.Ref] = true
	}
	for _, ref := range slices.Sorted(maps.Keys(l.base)) {
		if defined[ref] {
			continue
		}
		_, err := l.st.Runtimes.ByRef(ctx, ref)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		default:
			l.report.add(Entry{Ref: ref, Result: Orphaned})
			loaded[ref] = l.base[ref]
		}
	}
	return nil
}
