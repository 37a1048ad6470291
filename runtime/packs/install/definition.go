package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// definition merges one definition of the pack into its row. foreign reports that the row is
// the platform's, and was left.
func (l *loader) definition(ctx context.Context, def *metadata.Definition) (foreign bool, err error) {
	if foreign, err = l.foreign(ctx, def.Ref); err != nil {
		return false, err
	}
	if foreign {
		l.report.add(Entry{Ref: def.Ref, Result: Foreign})
		return true, nil
	}
	return false, l.mergeRow(ctx, def)
}

// foreign reports whether the row of a runtime is the platform's, also one that it has
// retired.
func (l *loader) foreign(ctx context.Context, ref string) (bool, error) {
	if !l.guest() {
		return false, nil
	}
	row, err := l.st.Runtimes.ByRef(ctx, ref)
	if errors.Is(err, store.ErrNotFound) {
		retired, err := l.st.Runtimes.Retired(ctx)
		return slices.Contains(retired, ref), err
	}
	return err == nil && row.Digest == nil, err
}

func (l *loader) mergeRow(ctx context.Context, def *metadata.Definition) error {
	digest := def.Digest()
	row, err := l.st.Runtimes.Definition(ctx, def.Ref)
	if errors.Is(err, store.ErrNotFound) {
		delete(l.adopted, def.Ref)
		l.report.add(Entry{Ref: def.Ref, Result: Created})
		return l.write(ctx, def, digest)
	}
	if err != nil {
		return err
	}
	if _, before := l.base[def.Ref]; !before {
		l.adopted[def.Ref] = true
	}
	if fault := row.Fault(); fault != nil && !l.opts.Force {
		l.report.add(Entry{Ref: def.Ref, Result: Kept, Kept: []string{fmt.Sprintf("the row is malformed (%v)", fault)}})
		return nil
	}
	stored, err := l.st.Runtimes.ByRef(ctx, def.Ref)
	if err != nil {
		return err
	}
	loaded := stored.Digest != nil
	merged, m, err := l.merge(row, def, loaded)
	if err != nil {
		return err
	}
	entry := Entry{Ref: def.Ref, Result: Unchanged, Changed: m.changed, Kept: m.kept}
	switch {
	case len(m.changed) > 0:
		entry.Result = Updated
	case len(m.kept) > 0:
		entry.Result = Kept
	}
	l.report.add(entry)
	switch {
	case entry.Result == Updated:
		return l.write(ctx, merged, digest)
	case !loaded && !l.opts.DryRun:
		_, err = l.st.Runtimes.Update(ctx, def.Ref, store.RuntimeChanges{Digest: metadata.Some(&digest)})
	}
	return err
}

func (l *loader) write(ctx context.Context, def *metadata.Definition, digest string) error {
	if l.opts.DryRun {
		return nil
	}
	_, err := l.st.Runtimes.UpsertDefinition(ctx, def, &digest)
	return err
}

// merge applies the pack's changes since the last load to a row. A row without a digest
// was created anew since then, by a migration or by somebody. So nobody removed what it
// lacks, and merge has no base for it.
func (l *loader) merge(row, def *metadata.Definition, loaded bool) (*metadata.Definition, *merge, error) {
	base := doc{}
	if text, ok := l.base[def.Ref]; ok && loaded {
		var last metadata.Definition
		if err := json.Unmarshal(text, &last); err != nil {
			return nil, nil, fmt.Errorf("read the last load: %w", err)
		}
		var err error
		if base, err = definitionDoc(&last); err != nil {
			return nil, nil, err
		}
	}
	rowDoc, err := definitionDoc(row)
	if err != nil {
		return nil, nil, err
	}
	packDoc, err := definitionDoc(def)
	if err != nil {
		return nil, nil, err
	}
	m := &merge{force: l.opts.Force}
	merged, err := definitionOf(m.object("", base, rowDoc, packDoc), def)
	return merged, m, err
}

// definitionDoc returns the parts of a definition that have columns. It keys versions by
// their number, so that they are merged one by one.
func definitionDoc(def *metadata.Definition) (doc, error) {
	stored := *def
	stored.Unknown = nil
	if stored.PackRef == "" {
		stored.PackRef = metadata.PackOf(stored.Ref)
	}
	d, err := toDoc(&stored)
	if err != nil {
		return nil, err
	}
	versions := doc{}
	list, _ := d["versions"].([]any)
	for _, v := range list {
		entry, _ := v.(doc)
		version, _ := entry["version"].(string)
		versions[version] = entry
	}
	delete(d, "versions")
	if len(versions) > 0 {
		d["versions"] = versions
	}
	return d, nil
}

// definitionOf decodes a merged document. The versions keep the pack's order; those that
// only the row has follow.
func definitionOf(d doc, pack *metadata.Definition) (*metadata.Definition, error) {
	versions, _ := d["versions"].(doc)
	list := []any{}
	for _, v := range pack.Versions {
		if entry, ok := versions[v.Version]; ok {
			list = append(list, entry)
			delete(versions, v.Version)
		}
	}
	for _, version := range keys(versions) {
		list = append(list, versions[version])
	}
	delete(d, "versions")
	if len(list) > 0 {
		d["versions"] = list
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	merged := new(metadata.Definition)
	if err := json.Unmarshal(text, merged); err != nil {
		return nil, fmt.Errorf("read the merged definition: %w", err)
	}
	return merged, nil
}
