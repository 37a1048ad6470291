package answer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
)

// A Difference lists how two workers differ.
type Difference struct {
	A Subject `json:"a"`
	B Subject `json:"b"`
	// Runtimes lists the runtimes on which the reports differ: first those that only one
	// worker has, then by the importance of their kind and by name.
	Runtimes []RuntimeDifference `json:"runtimes"`
	// Facts lists other differences of their documents, such as machine, labels and
	// settings, by key. It is nil if the reader may not see documents.
	Facts []FactDifference `json:"facts"`
	// Same lists the names of the runtimes that both have in the same versions at the
	// same paths, sorted.
	Same []string `json:"same"`
}

// A Subject is a worker that an answer is about.
type Subject struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Status string `json:"status"`
	Stale  bool   `json:"stale"`
}

// A RuntimeDifference compares the two reports on one runtime.
type RuntimeDifference struct {
	// Ref is empty for a declared name without a definition.
	Ref  string `json:"ref"`
	Name string `json:"name"`
	// Kind is the most important difference.
	Kind DifferenceKind `json:"kind"`
	A    Holding        `json:"a"`
	B    Holding        `json:"b"`
}

// A DifferenceKind classifies a RuntimeDifference.
type DifferenceKind string

// The kinds, the most important first.
const (
	// OnlyA and OnlyB mean that one of the two has the runtime.
	OnlyA DifferenceKind = "only_a"
	OnlyB DifferenceKind = "only_b"
	// DifferentVersions means that both have the runtime, in different versions.
	DifferentVersions DifferenceKind = "version"
	// DifferentPaths means that both have the same versions at different paths.
	DifferentPaths DifferenceKind = "path"
	// DifferentOutcomes means that neither has the runtime, for different reasons.
	DifferentOutcomes DifferenceKind = "outcome"
)

// rank returns the position in the order of importance. OnlyA and OnlyB are equal.
func (k DifferenceKind) rank() int {
	if k == OnlyB {
		k = OnlyA
	}
	return slices.Index([]DifferenceKind{OnlyA, DifferentVersions, DifferentPaths, DifferentOutcomes}, k)
}

// NotAsked is the outcome of a runtime that a worker did not report.
const NotAsked = "not_asked"

// A Holding is a worker's report on one runtime.
type Holding struct {
	// Outcome is "available", the reason why the runtime is absent or could not be
	// determined, or NotAsked.
	Outcome string `json:"outcome"`
	// Installations lists the installations, newest first. It is empty unless the
	// runtime is available.
	Installations []InstalledVersion `json:"installations"`
}

// An InstalledVersion is one installation. Version and Path are empty if unknown.
type InstalledVersion struct {
	Version string `json:"version"`
	Path    string `json:"path"`
}

// A FactDifference compares one value of two documents, as JSON. A missing value is null.
type FactDifference struct {
	// Key is the path to the value, such as host.user or labels.zone.
	Key string          `json:"key"`
	A   json.RawMessage `json:"a"`
	B   json.RawMessage `json:"b"`
}

// Empty reports whether there is no difference.
func (d *Difference) Empty() bool { return len(d.Runtimes)+len(d.Facts) == 0 }

// Diff compares the last reports of two workers. A document that Document does not read is an
// error.
func Diff(ctx context.Context, st *store.Store, a, b *store.WorkerSnapshot) (*Difference, error) {
	d := &Difference{A: subject(a), B: subject(b), Runtimes: []RuntimeDifference{}, Same: []string{}}
	caps := make([]*capability.Document, 2)
	for i, w := range []*store.WorkerSnapshot{a, b} {
		var err error
		if caps[i], err = Document(&w.Worker, nil); err != nil {
			return nil, err
		}
	}
	d.Facts = facts(a.Capabilities, b.Capabilities)
	ofA, err := holdings(ctx, st, a.ID)
	if err != nil {
		return nil, err
	}
	ofB, err := holdings(ctx, st, b.ID)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(ofA)
	maps.Copy(all, ofB)
	for key := range all {
		one := RuntimeDifference{Ref: key.ref, Name: key.name}
		if one.A, err = orSilence(ctx, st, ofA[key], key.ref, a, caps[0]); err != nil {
			return nil, err
		}
		if one.B, err = orSilence(ctx, st, ofB[key], key.ref, b, caps[1]); err != nil {
			return nil, err
		}
		if one.Kind = compare(&one.A, &one.B); one.Kind != "" {
			d.Runtimes = append(d.Runtimes, one)
		} else if one.A.Outcome == schema.OutcomeAvailable {
			d.Same = append(d.Same, key.name)
		}
	}
	slices.SortFunc(d.Runtimes, func(a, b RuntimeDifference) int {
		return cmp.Or(cmp.Compare(a.Kind.rank(), b.Kind.rank()), strings.Compare(a.Name, b.Name), strings.Compare(a.Ref, b.Ref))
	})
	slices.Sort(d.Same)
	return d, nil
}

func subject(w *store.WorkerSnapshot) Subject {
	s := Subject{ID: w.ID, Name: w.Name, Role: RoleName(w.WorkerRole), Stale: w.Stale}
	if w.Status != nil {
		s.Status = string(*w.Status)
	}
	return s
}

type runtimeKey struct{ ref, name string }

// holdings returns a worker's reports by runtime. A negative row that is older than the
// installations does not count.
func holdings(ctx context.Context, st *store.Store, worker int64) (map[runtimeKey]*Holding, error) {
	rows, err := st.WorkerRuntimes.ByWorker(ctx, worker)
	if err != nil {
		return nil, err
	}
	all := map[runtimeKey]*Holding{}
	for i := range rows {
		row := &rows[i]
		key := runtimeKey{row.RuntimeRef, row.Name}
		if all[key] == nil {
			all[key] = &Holding{Outcome: row.Outcome, Installations: []InstalledVersion{}}
		}
		h := all[key]
		switch {
		case row.Outcome == schema.OutcomeAvailable:
			h.Outcome = row.Outcome
			h.Installations = append(h.Installations, InstalledVersion{row.Version, row.Path})
		case row.IsNegative() && len(h.Installations) == 0:
			h.Outcome = row.Outcome
		}
	}
	return all, nil
}

// orSilence returns a worker's report on a runtime, or the meaning of a missing one.
func orSilence(
	ctx context.Context, st *store.Store, h *Holding, ref string, w *store.WorkerSnapshot, caps *capability.Document,
) (Holding, error) {
	if h != nil {
		return *h, nil
	}
	silence := Holding{Outcome: NotAsked, Installations: []InstalledVersion{}}
	if !caps.OmitsNotFound() || IsForeign(&w.Worker) {
		return silence, nil
	}
	def, err := st.Runtimes.Definition(ctx, ref)
	if errors.Is(err, store.ErrNotFound) {
		return silence, nil
	}
	if err != nil {
		return silence, err
	}
	created, err := st.Runtimes.Created(ctx, ref)
	if err == nil && caps.NotFound(def, definitionRole(w.WorkerRole), created) != nil {
		silence.Outcome = string(capability.NotFound)
	}
	return silence, err
}

// compare returns the most important difference of two reports, or "".
func compare(a, b *Holding) DifferenceKind {
	hasA, hasB := len(a.Installations) > 0, len(b.Installations) > 0
	switch {
	case hasA && !hasB:
		return OnlyA
	case hasB && !hasA:
		return OnlyB
	case !hasA:
		if a.Outcome != b.Outcome {
			return DifferentOutcomes
		}
		return ""
	case !slices.Equal(a.Versions(), b.Versions()):
		return DifferentVersions
	case !slices.Equal(a.Installations, b.Installations):
		return DifferentPaths
	}
	return ""
}

// Versions returns the distinct versions, newest first. An unknown version is "".
func (h *Holding) Versions() []string {
	var list []string
	for _, in := range h.Installations {
		if !slices.Contains(list, in.Version) {
			list = append(list, in.Version)
		}
	}
	return list
}

// unlisted holds the keys of a document that are not compared as facts: rows hold them in
// more detail, or every report changes them.
var unlisted = []string{
	"format", "runtimes", "runtime_versions", "detected", "undetected", "failed", "warnings", "refreshed", "definitions",
}

// facts returns the values in which two documents differ.
func facts(a, b json.RawMessage) []FactDifference {
	ofA, ofB := leaves(a), leaves(b)
	keys := slices.Collect(maps.Keys(ofA))
	for key := range ofB {
		if _, both := ofA[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	differ := []FactDifference{}
	for _, key := range keys {
		if !reflect.DeepEqual(ofA[key], ofB[key]) {
			differ = append(differ, FactDifference{key, encoded(ofA[key]), encoded(ofB[key])})
		}
	}
	return differ
}

// leaves returns the values of a document by path. A list counts as one value. A document
// that is not an object has no values.
func leaves(document json.RawMessage) map[string]any {
	all := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	var object map[string]any
	if dec.Decode(&object) != nil {
		return all
	}
	for _, key := range unlisted {
		delete(object, key)
	}
	gather(all, "", object)
	return all
}

func gather(all map[string]any, at string, object map[string]any) {
	for key, value := range object {
		if inner, ok := value.(map[string]any); ok {
			gather(all, at+key+".", inner)
			continue
		}
		all[at+key] = value
	}
}

// encoded returns a value as JSON. A missing value is null.
func encoded(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		return json.RawMessage("null") // it was decoded from JSON
	}
	return text
}
