package answer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// Bounds on a document that is read. Small values take a hundred times as much memory as
// their text, and the login of a host may write any number.
const (
	maxObjects = 50_000
	maxValues  = 150_000
)

// excess returns why a worker's document is not read, or nil.
func excess(w *schema.Worker) error {
	what, most, got := "objects", maxObjects, 0
	objects, values := sizes(w.Capabilities)
	switch {
	case objects > maxObjects:
		got = objects
	case values > maxValues:
		what, most, got = "values", maxValues, values
	default:
		return nil
	}
	return fmt.Errorf("read the capabilities of worker %d: they must have at most %d %s, got %d", w.ID, most, what, got)
}

// sizes returns the numbers of objects and of commas in a JSON text. A text has about as
// many values as commas.
func sizes(text json.RawMessage) (objects, commas int) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '{':
			objects++
		case c == ',':
			commas++
		}
	}
	return objects, commas
}

// Document returns the capability document of a worker, or nil if it has none. A platform's
// own workers declare names and versions; the document then has them as declared
// installations of the runtimes that index knows by those names; nil knows none. What has
// another shape is left out, as in the database. A document that no service would write for
// its size is an error, also where the store left it out.
func Document(w *schema.Worker, index *metadata.Index) (*capability.Document, error) {
	if len(w.Capabilities) == 0 || string(w.Capabilities) == "null" {
		return nil, nil
	}
	if err := excess(w); err != nil {
		return nil, err
	}
	if IsForeign(w) {
		return declared(w.Capabilities, index), nil
	}
	caps := new(capability.Document)
	if err := json.Unmarshal(w.Capabilities, caps); err != nil {
		return nil, fmt.Errorf("read the capabilities of worker %d: %w", w.ID, err)
	}
	if size := caps.Extra[store.LeftOutKey]; size != nil {
		return nil, fmt.Errorf("read the capabilities of worker %d: they must have at most %d bytes, got %s", w.ID, store.MaxReport, size)
	}
	return caps, nil
}

// IsForeign reports whether a worker was registered by another program, whose document
// differs from attune's. A document that Document does not read counts as attune's.
func IsForeign(w *schema.Worker) bool {
	return w.Identity == nil && excess(w) == nil && members(w.Capabilities)["detected"] == nil
}

func members(text json.RawMessage) map[string]json.RawMessage {
	found := map[string]json.RawMessage{}
	if json.Unmarshal(text, &found) != nil {
		return nil
	}
	return found
}

// carried are the members of a platform's document that attune reads as its own.
var carried = []string{"labels", "taints", "max_concurrent_executions"}

func declared(text json.RawMessage, index *metadata.Index) *capability.Document {
	doc, from := &capability.Document{Extra: map[string]json.RawMessage{}}, members(text)
	for _, key := range carried {
		if from[key] != nil {
			doc.Extra[key] = from[key]
		}
	}
	versions := map[string][]string{}
	for name, list := range members(from["runtime_versions"]) {
		name = strings.ToLower(name)
		versions[name] = append(versions[name], texts(list)...)
	}
	seen := map[string]bool{}
	var names []json.RawMessage
	_ = json.Unmarshal(from["runtimes"], &names) // anything but a list declares nothing
	for _, written := range names {
		var name string
		if json.Unmarshal(written, &name) != nil || name == "" || seen[strings.ToLower(name)] {
			continue
		}
		seen[strings.ToLower(name)] = true
		in := capability.Installation{Name: strings.ToLower(name), Outcome: capability.Available, Source: capability.Declared}
		if index != nil {
			if def, ok := index.Resolve(name); ok {
				in.Ref, in.Name = def.Ref, def.CapabilityName()
			}
		}
		if len(versions[strings.ToLower(name)]) == 0 {
			doc.Detected = append(doc.Detected, in)
		}
		for _, raw := range versions[strings.ToLower(name)] {
			in.Version, in.VersionRaw = "", raw
			if v, err := version.Parse(raw); err == nil {
				in.Version = v.String()
			}
			doc.Detected = append(doc.Detected, in)
		}
	}
	doc.Detected = withoutSynonyms(doc.Detected)
	doc.Arrange()
	return doc
}

// withoutSynonyms removes what a second name of a runtime repeats: the same version, or none where another name has
// one. The database does the same.
func withoutSynonyms(all []capability.Installation) (kept []capability.Installation) {
	type one struct{ ref, version string }
	seen, versioned := map[one]bool{}, map[string]bool{}
	for _, in := range all {
		versioned[in.Ref] = versioned[in.Ref] || in.VersionRaw != ""
	}
	for _, in := range all {
		this := one{in.Ref, cmp.Or(in.Version, in.VersionRaw)}
		if in.Ref != "" && (seen[this] || in.VersionRaw == "" && versioned[in.Ref]) {
			continue
		}
		seen[this] = true
		kept = append(kept, in)
	}
	return kept
}

// texts returns the texts and numbers of a list, or of a single value.
func texts(text json.RawMessage) []string {
	var list []json.RawMessage
	if json.Unmarshal(text, &list) != nil {
		list = []json.RawMessage{text}
	}
	var found []string
	for _, item := range list {
		var s string
		var n json.Number
		switch {
		case json.Unmarshal(item, &s) == nil:
			found = append(found, s)
		case json.Unmarshal(item, &n) == nil && n != "":
			found = append(found, n.String())
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(found)))
}
