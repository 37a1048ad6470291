package install

import (
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

// ErrNotLoaded says that no load brought the pack: it is not known which rows are its
// own.
var ErrNotLoaded = errors.New("the pack was not loaded by attune")

// Reason says why unloading a pack leaves a row.
type Reason string

// The reasons.
const (
	// ReasonChanged: somebody changed the row since it was loaded.
	ReasonChanged Reason = "changed"
	// ReasonReferenced: rows of other tables refer to it.
	ReasonReferenced Reason = "referenced"
	// ReasonAdopted: it was there before the pack was loaded.
	ReasonAdopted Reason = "adopted"
	// ReasonNeeded: of the pack's own row, that other rows belong to the pack.
	ReasonNeeded Reason = "needed"
)

// Unloaded is what became of one row that loads of a pack brought.
type Unloaded struct {
	// Ref of the runtime; of the pack's own row the pack's.
	Ref     string `json:"ref"`
	Deleted bool   `json:"deleted"`
	// Reason is empty where the row is deleted.
	Reason Reason `json:"reason,omitempty"`
	// Changed are JSON pointers to what somebody changed.
	Changed []string `json:"changed,omitempty"`
	// References are what refers to the row, or why the pack is needed. Those of a row
	// that a dry run would delete are what this login may not read.
	References []store.Reference `json:"references,omitempty"`
}

// Unloading is what unloading a pack did, or would do.
type Unloading struct {
	Pack   string `json:"pack"`
	DryRun bool   `json:"dry_run"`
	// Runtimes are those that loads of the pack brought and that are still there, by ref.
	Runtimes []Unloaded `json:"runtimes"`
	// Row is the pack's own row.
	Row Unloaded `json:"row"`
}

// Count returns how many runtimes were, or would be, deleted, and how many stay.
func (u *Unloading) Count() (deleted, kept int) {
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
// created, with their versions, and then the pack's own. A row stays where somebody
// changed it since (Options.Force deletes it), where rows of other tables refer to it,
// and where it was there before the pack. What stays keeps what was loaded, so that
// another load merges as before. Errors: store.ErrNotFound, ErrNotLoaded.
func Unload(ctx context.Context, db bun.IDB, cfg store.Config, ref string, opts Options) (*Unloading, error) {
	report := &Unloading{Pack: ref, DryRun: opts.DryRun, Runtimes: []Unloaded{}}
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
	report *Unloading
	last   record
}

func (u *unloader) run(ctx context.Context, ref string) error {
	row, err := u.st.Packs.ByRef(ctx, ref)
	if err == nil && !u.opts.DryRun { // a load at the same time waits
		row, err = u.st.Packs.Update(ctx, ref, store.PackChanges{IsStandard: metadata.Some(row.IsStandard)})
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
			continue // somebody deleted it
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

// runtime deletes one runtime, or says why it stays.
func (u *unloader) runtime(ctx context.Context, ref string) (Unloaded, error) {
	one := Unloaded{Ref: ref}
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
	var unseen []store.Reference
	for _, r := range refs {
		switch {
		case r.Hinders():
			one.References = append(one.References, r)
		case r.Unseen():
			unseen = append(unseen, r)
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
	if u.opts.DryRun { // the database may refuse
		one.References = unseen
		return one, nil
	}
	err = u.st.Runtimes.Delete(ctx, ref)
	if errors.Is(err, store.ErrReferenced) { // by what this login may not read, or by now
		one.Deleted, one.Reason, one.References, err = false, ReasonReferenced, refs, nil
	}
	return one, err
}

func malformed(row *metadata.Definition) bool { return row.Fault() != nil }

// changed are pointers to what differs between a row and what was last loaded into
// it; the empty pointer is a row that cannot be read.
func (u *unloader) changed(row *metadata.Definition) ([]string, error) {
	if malformed(row) {
		return []string{""}, nil
	}
	var loaded metadata.Definition
	if err := json.Unmarshal(u.last.Loaded[row.Ref], &loaded); err != nil {
		return nil, fmt.Errorf("what was last loaded is not readable: %w", err)
	}
	is, err := definitionDoc(row)
	if err != nil {
		return nil, err
	}
	was, err := definitionDoc(&loaded)
	if err != nil {
		return nil, err
	}
	m := &merge{force: true} // each value that the pack would bring back
	m.object("", nil, is, was)
	return m.changed, nil
}

// pack deletes the pack's own row if nothing needs it, or leaves the record of what
// stays.
func (u *unloader) pack(ctx context.Context, row *schema.Pack, meta map[string]json.RawMessage, left record) error {
	one := &u.report.Row
	one.Ref = row.Ref
	refs, err := u.st.Packs.References(ctx, row.Ref)
	if err != nil {
		return err
	}
	for _, r := range refs {
		if u.opts.DryRun && r.Table == "runtime" {
			deleted, _ := u.report.Count()
			r.Rows -= deleted
			r.Examples = nil // some of them would be gone
		}
		if r.Hinders() {
			one.References = append(one.References, r)
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
		one.Deleted = true
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

// configured reports whether somebody gave a pack's row what no load brings back.
func configured(row *schema.Pack, meta map[string]json.RawMessage, loaded json.RawMessage) bool {
	is := packDoc{Label: row.Label, Version: row.Version}
	if row.Description != nil {
		is.Description = *row.Description
	}
	was := is
	if len(loaded) > 0 && json.Unmarshal(loaded, &was) != nil {
		return true
	}
	set := func(document json.RawMessage) bool { return len(document) > 0 && string(document) != "{}" }
	return is != was || set(row.Config) || set(row.ConfSchema) || len(row.Tags) > 0 || len(row.RuntimeDeps) > 0 || len(meta) > 1
}
