package answer

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// Difference is how two workers differ.
type Difference struct {
	A Subject `json:"a"`
	B Subject `json:"b"`
	// Runtimes are those of which the two report something else, by name.
	Runtimes []RuntimeDifference `json:"runtimes"`
	// Facts are what else their documents have: the machine, labels, settings. They
	// are sorted by key.
	Facts []FactDifference `json:"facts"`
	// Same are the names of the runtimes that both have in the same versions, at the
	// same paths, sorted.
	Same []string `json:"same"`
}

// Subject is a worker that an answer is about.
type Subject struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Status string `json:"status"`
	Stale  bool   `json:"stale"`
}

// RuntimeDifference is one runtime as the two workers report it.
type RuntimeDifference struct {
	// Ref is empty for a declared name without a definition.
	Ref  string `json:"ref"`
	Name string `json:"name"`
	// Kind is what differs.
	Kind DifferenceKind `json:"kind"`
	A    Holding        `json:"a"`
	B    Holding        `json:"b"`
}

// DifferenceKind says what differs between two workers.
type DifferenceKind string

// The kinds, the weightiest first.
const (
	OnlyA DifferenceKind = "only_a"
	OnlyB DifferenceKind = "only_b"
	// DifferentVersions: both have the runtime, in other versions.
	DifferentVersions DifferenceKind = "version"
	// DifferentPaths: both have it in the same versions, at other paths.
	DifferentPaths DifferenceKind = "path"
	// DifferentOutcomes: neither has it, for different reasons.
	DifferentOutcomes DifferenceKind = "outcome"
)

// NotAsked is the outcome of a runtime that a worker did not report on.
const NotAsked = "not_asked"

// Holding is what a worker reports of a runtime.
type Holding struct {
	// Outcome is available, why the runtime is absent or could not be determined, or
	// NotAsked.
	Outcome string `json:"outcome"`
	// Installations are the newest first; empty where the runtime is not available.
	Installations []Installed `json:"installations"`
}

// Installed is one installation. Version and Path are empty where they are unknown.
type Installed struct {
	Version string `json:"version"`
	Path    string `json:"path"`
}

// FactDifference is one value of two documents, as JSON; null where a document lacks it.
type FactDifference struct {
	// Key is the path to the value, such as host.user or labels.zone.
	Key string          `json:"key"`
	A   json.RawMessage `json:"a"`
	B   json.RawMessage `json:"b"`
}

// Empty reports whether the two do not differ.
func (d *Difference) Empty() bool { return len(d.Runtimes)+len(d.Facts) == 0 }

// Diff returns how two workers differ, by what each reported last.
func Diff(ctx context.Context, st *store.Store, a, b *store.Selected) (*Difference, error) {
	d := &Difference{A: subject(a), B: subject(b), Runtimes: []RuntimeDifference{}, Facts: facts(a.Capabilities, b.Capabilities), Same: []string{}}
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
		one := RuntimeDifference{Ref: key.ref, Name: key.name, A: orNotAsked(ofA[key]), B: orNotAsked(ofB[key])}
		if one.Kind = compare(&one.A, &one.B); one.Kind != "" {
			d.Runtimes = append(d.Runtimes, one)
		} else if one.A.Outcome == schema.OutcomeAvailable {
			d.Same = append(d.Same, key.name)
		}
	}
	slices.SortFunc(d.Runtimes, func(a, b RuntimeDifference) int {
		return strings.Compare(a.Name+"\x00"+a.Ref, b.Name+"\x00"+b.Ref)
	})
	slices.Sort(d.Same)
	return d, nil
}

func subject(w *store.Selected) Subject {
	s := Subject{ID: w.ID, Name: w.Name, Role: RoleName(w.WorkerRole), Stale: w.Stale}
	if w.Status != nil {
		s.Status = string(*w.Status)
	}
	return s
}

type runtimeKey struct{ ref, name string }

// holdings are what a worker reports, by runtime. A negative that is of before the
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
			all[key] = &Holding{Outcome: row.Outcome, Installations: []Installed{}}
		}
		h := all[key]
		switch {
		case row.Outcome == schema.OutcomeAvailable:
			h.Outcome = row.Outcome
			h.Installations = append(h.Installations, Installed{row.Version, row.Path})
		case row.IsNegative() && len(h.Installations) == 0:
			h.Outcome = row.Outcome
		}
	}
	return all, nil
}

func orNotAsked(h *Holding) Holding {
	if h == nil {
		return Holding{Outcome: NotAsked, Installations: []Installed{}}
	}
	return *h
}

// compare is what differs; empty where nothing does.
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

// Versions returns the versions, the newest first, each once; an unknown one is empty.
func (h *Holding) Versions() []string {
	var list []string
	for _, in := range h.Installations {
		if !slices.Contains(list, in.Version) {
			list = append(list, in.Version)
		}
	}
	return list
}

// unlisted are the keys of a document that are no facts: what the rows say better,
// and what every report changes.
var unlisted = []string{"format", "runtimes", "runtime_versions", "detected", "undetected", "failed", "warnings", "refreshed"}

// facts are the values in which two documents differ.
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

// leaves are the values of a document by their paths; lists are values. What is no
// object has none.
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

// encoded is a value as JSON; what a document lacks is null.
func encoded(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		return json.RawMessage("null") // it was decoded from JSON
	}
	return text
}
