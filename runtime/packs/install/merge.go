package install

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A doc is a decoded JSON object. Its numbers keep their text.
type doc = map[string]any

// absent stands for a key that a document lacks.
var absent any = struct{ absent string }{"absent"}

// merge merges a row and a pack by key, with the definition last loaded as their base.
// If only one of the two changed a value, that change counts. If both did, the row's
// value stays, because an operator changed it for a reason. Objects are merged key by
// key, lists as a whole.
type merge struct {
	// force makes the pack's value count everywhere.
	force bool
	// kept holds JSON pointers to values that stay although the pack has others;
	// changed holds pointers to values that the row gets from the pack.
	kept, changed []string
}

func (m *merge) value(at string, base, row, pack any) any {
	if same(row, pack) {
		return row
	}
	rowDoc, ok1 := row.(doc)
	packDoc, ok2 := pack.(doc)
	if ok1 && ok2 {
		baseDoc, _ := base.(doc)
		return m.object(at, baseDoc, rowDoc, packDoc)
	}
	if m.force || same(row, base) {
		m.changed = append(m.changed, at)
		return pack
	}
	m.kept = append(m.kept, at)
	return row
}

func (m *merge) object(at string, base, row, pack doc) doc {
	merged := doc{}
	for _, key := range keys(row, pack) {
		v := m.value(at+"/"+pointerToken(key), get(base, key), get(row, key), get(pack, key))
		if v != absent {
			merged[key] = v
		}
	}
	return merged
}

func get(d doc, key string) any {
	if v, ok := d[key]; ok {
		return v
	}
	return absent
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }

func keys(docs ...doc) []string {
	all := map[string]bool{}
	for _, d := range docs {
		for key := range d {
			all[key] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// pointerToken escapes a key for a JSON pointer (RFC 6901).
func pointerToken(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// toDoc returns a value as its decoded JSON.
func toDoc(v any) (doc, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var d doc
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("decode document: %w", err)
	}
	return d, nil
}
