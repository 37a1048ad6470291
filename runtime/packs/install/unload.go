package install

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// ErrNotLoaded reports that Load never loaded the pack, so its rows are not known.
var ErrNotLoaded = errors.New("the pack was not loaded by attune")

// A Reason is why Unload leaves a row.
type Reason string

// The reasons.
const (
	// ReasonChanged means that somebody changed the row since the last load.
	ReasonChanged Reason = "changed"
	// ReasonReferenced means that rows of other tables refer to the row.
	ReasonReferenced Reason = "referenced"
	// ReasonAdopted means that the row existed before the pack was loaded.
	ReasonAdopted Reason = "adopted"
	// ReasonNeeded means that rows belong to the pack, and so its own row stays.
	ReasonNeeded Reason = "needed"
)

// An UnloadEntry reports one row that loads of the pack wrote.
type UnloadEntry struct {
	// Ref is the ref of the runtime, or of the pack for its own row.
	Ref     string `json:"ref"`
	Deleted bool   `json:"deleted"`
	// Reason is empty for a deleted row.
	Reason Reason `json:"reason,omitempty"`
	// Changed holds JSON pointers to the values that somebody changed.
	Changed []string `json:"changed,omitempty"`
	// References lists what refers to the row, or needs the pack. For a row that a dry
	// run would delete, it lists the tables that this login may not read.
	References []store.Reference `json:"references,omitempty"`
	// Cleared lists the columns that the database clears when it deletes the row.
	Cleared []store.Reference `json:"cleared,omitempty"`
}

// An UnloadReport lists what Unload did, or would do.
type UnloadReport struct {
	Pack   string `json:"pack"`
	DryRun bool   `json:"dry_run"`
	// Runtimes lists the remaining runtimes that loads of the pack wrote, by ref.
	Runtimes []UnloadEntry `json:"runtimes"`
	// Row reports the pack's own row.
	Row UnloadEntry `json:"row"`
}

// Count returns how many runtimes are deleted and how many stay.
func (u *UnloadReport) Count() (deleted, kept int) {
	for _, r := range u.Runtimes {
		if r.Deleted {
			deleted++
		} else {
			kept++
		}
	}
	return deleted, kept
}

// Unload undoes the loads of a pack in one transaction: it deletes the rows that they
// created, with their versions, and then the pack's own row. A row stays if somebody
// changed it since (Options.Force deletes it), if rows of other tables refer to it, or
// if it existed before the pack. References that the database clears are reported, and
// hinder nothing. Rows that stay keep their part of the record, so that
// another load merges as before. The error can wrap store.ErrNotFound or ErrNotLoaded.
func Unload(ctx context.Context, db bun.IDB, cfg store.Config, ref string, opts Options) (*UnloadReport, error) {
	report := &UnloadReport{Pack: ref, DryRun: opts.DryRun, Runtimes: []UnloadEntry{}}
	err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		u := &unloader{st: store.New(tx, cfg), opts: opts, report: report}
		return u.run(ctx, ref)
	})
	if err != nil {
		return nil, fmt.Errorf("unload pack %q: %w", ref, err)
	}
	return report, nil
}

type unloader struct {
	st     *store.Store
	opts   Options
	report *UnloadReport
	last   record
}

func (u *unloader) run(ctx context.Context, ref string) error {
	row, err := u.st.Packs.ByRef(ctx, ref)
	if err == nil && !u.opts.DryRun { // makes a load at the same time wait
		row, err = u.st.Packs.Update(ctx, ref, store.PackChanges{IsStandard: metadata.Some(row.IsStandard)})
	}
	if err == nil && u.opts.DryRun {
		err = cmp.Or(u.st.Packs.MayDelete(ctx), u.st.Runtimes.MayDelete(ctx))
	}
	if err != nil {
		return err
	}
	meta, last, err := readMeta(row)
	if err != nil {
		return err
	}
	if meta[recordKey] == nil {
		return ErrNotLoaded
	}
	u.last = last
	left := record{Pack: last.Pack, Loaded: map[string]json.RawMessage{}, Adopted: last.Adopted}
	for _, ref := range slices.Sorted(maps.Keys(last.Loaded)) {
		one, err := u.runtime(ctx, ref)
		if errors.Is(err, store.ErrNotFound) {
			continue // already deleted
		}
		if err != nil {
			return fmt.Errorf("%s: %w", ref, err)
		}
		u.report.Runtimes = append(u.report.Runtimes, one)
		if !one.Deleted {
			left.Loaded[ref] = last.Loaded[ref]
		}
	}
	return u.pack(ctx, row, meta, left)
}

// runtime deletes one runtime, or reports why it stays.
func (u *unloader) runtime(ctx context.Context, ref string) (UnloadEntry, error) {
	one := UnloadEntry{Ref: ref}
	def, err := u.st.Runtimes.Definition(ctx, ref)
	if err != nil {
		return one, err
	}
	if one.Changed, err = u.changed(def); err != nil {
		return one, err
	}
	refs, err := u.st.Runtimes.References(ctx, ref)
	if err != nil {
		return one, err
	}
	var unseen, cleared []store.Reference
	for _, r := range refs {
		switch {
		case r.Hinders():
			one.References = append(one.References, r)
		case r.Unseen():
			unseen = append(unseen, r)
		case r.OnDelete == store.OnDeleteSetNull:
			cleared = append(cleared, r)
		}
	}
	switch {
	case slices.Contains(u.last.Adopted, ref):
		one.Reason = ReasonAdopted
	case len(one.References) > 0:
		one.Reason = ReasonReferenced
	case len(one.Changed) > 0 && !u.opts.Force:
		one.Reason = ReasonChanged
	default:
		one.Deleted = true
	}
	if !one.Deleted {
		return one, nil
	}
	one.Cleared = cleared
	if u.opts.DryRun { // deleting could still fail because of these
		one.References = unseen
		return one, nil
	}
	err = u.st.Runtimes.Delete(ctx, ref)
	if errors.Is(err, store.ErrReferenced) { // by a row that is new, or that this login may not read
		one = UnloadEntry{Ref: ref, Reason: ReasonReferenced, Changed: one.Changed, References: refs}
		err = nil
	}
	return one, err
}

// changed returns pointers to what differs between a row and the last load. The pointer
// is empty for a malformed row.
func (u *unloader) changed(row *metadata.Definition) ([]string, error) {
	if row.Fault() != nil {
		return []string{""}, nil //nolint:nilerr // a malformed row differs, and that is the answer
	}
	var loaded metadata.Definition
	if err := json.Unmarshal(u.last.Loaded[row.Ref], &loaded); err != nil {
		return nil, fmt.Errorf("read the last load: %w", err)
	}
	rowDoc, err := definitionDoc(row)
	if err != nil {
		return nil, err
	}
	loadedDoc, err := definitionDoc(&loaded)
	if err != nil {
		return nil, err
	}
	m := &merge{force: true} // lists each value that another load would replace
	m.object("", nil, rowDoc, loadedDoc)
	return m.changed, nil
}

// pack deletes the pack's own row, or leaves in it the record of the rows that stay.
func (u *unloader) pack(ctx context.Context, row *schema.Pack, meta map[string]json.RawMessage, left record) error {
	one := &u.report.Row
	one.Ref = row.Ref
	refs, err := u.st.Packs.References(ctx, row.Ref)
	if err != nil {
		return err
	}
	var cleared []store.Reference
	for _, r := range refs {
		if u.opts.DryRun && r.Table == "runtime" && r.Rows > 0 {
			deleted, _ := u.report.Count()
			r.Rows -= deleted
			r.Examples = nil // some of them would be deleted
		}
		switch {
		case r.Hinders():
			one.References = append(one.References, r)
		case r.OnDelete == store.OnDeleteSetNull && r.Rows != 0:
			cleared = append(cleared, r)
		}
	}
	switch {
	case slices.Contains(left.Adopted, row.Ref):
		one.Reason = ReasonAdopted
	case len(one.References) > 0:
		one.Reason = ReasonNeeded
	case configured(row, meta, left.Pack) && !u.opts.Force:
		one.Reason = ReasonChanged
	default:
		one.Deleted, one.Cleared = true, cleared
	}
	switch {
	case u.opts.DryRun:
		return nil
	case one.Deleted:
		return u.st.Packs.Delete(ctx, row.Ref)
	}
	delete(meta, recordKey)
	if len(left.Loaded) > 0 {
		if meta[recordKey], err = json.Marshal(left); err != nil {
			return err
		}
	}
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	_, err = u.st.Packs.Update(ctx, row.Ref, store.PackChanges{Meta: metadata.Some(json.RawMessage(text))})
	return err
}

// configured reports whether somebody set a value in a pack's row that no load restores.
func configured(row *schema.Pack, meta map[string]json.RawMessage, loaded json.RawMessage) bool {
	stored := packDoc{Label: row.Label, Version: row.Version}
	if row.Description != nil {
		stored.Description = *row.Description
	}
	last := stored
	if len(loaded) > 0 && json.Unmarshal(loaded, &last) != nil {
		return true
	}
	set := func(document json.RawMessage) bool { return len(document) > 0 && string(document) != "{}" }
	return stored != last || set(row.Config) || set(row.ConfSchema) || len(row.Tags) > 0 || len(row.RuntimeDeps) > 0 || len(meta) > 1
}
