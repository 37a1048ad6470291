package capability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// members is a Document without its methods.
type members Document

// ownKeys holds the members of the document itself, which Extra cannot overwrite.
var ownKeys = func() map[string]bool {
	keys := map[string]bool{}
	for field := range reflect.TypeFor[members]().Fields() {
		if key, _, _ := strings.Cut(field.Tag.Get("json"), ","); key != "-" {
			keys[key] = true
		}
	}
	return keys
}()

// IsKey reports whether key is a member of every document, which Extra cannot overwrite.
func IsKey(key string) bool { return ownKeys[key] }

// MarshalJSON writes the document's own keys in their order, then Extra sorted by key.
// Empty lists are written as [], never null.
func (d Document) MarshalJSON() ([]byte, error) {
	own := members(d)
	own.Runtimes = notNil(own.Runtimes)
	own.Host.Path = notNil(own.Host.Path)
	own.Undetected = notNil(own.Undetected)
	own.Detected = slices.Clone(notNil(own.Detected))
	for i := range own.Detected {
		own.Detected[i].Warnings = notNil(own.Detected[i].Warnings)
	}
	if own.RuntimeVersions == nil {
		own.RuntimeVersions = map[string][]string{}
	}
	out, err := plainJSON(own)
	if err != nil {
		return nil, err
	}
	out = out[:len(out)-1]
	for _, key := range slices.Sorted(maps.Keys(d.Extra)) {
		if ownKeys[key] {
			continue
		}
		name, err := plainJSON(key)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, ','), name...), ':')
		out = append(out, d.Extra[key]...)
	}
	return append(out, '}'), nil
}

// Bounds on a document that is read. The login of a host may write a larger one, and others
// read it.
const (
	// MaxSize is the size of a document, in bytes. Services write about half of that at most.
	MaxSize = 8 << 20
	// maxObjects is the number of objects in a document. A decoded object is some hundred
	// times larger than its text can be.
	maxObjects = 50_000
)

// UnmarshalJSON reads a document that this or an earlier release wrote. Unknown members
// become Extra. A document of a later format is an error, and so is one beyond the bounds.
func (d *Document) UnmarshalJSON(data []byte) error {
	if len(data) > MaxSize {
		return fmt.Errorf("read capability document: it must have at most %d bytes, got %d", MaxSize, len(data))
	}
	if n := bytes.Count(data, []byte("{")); n > maxObjects {
		return fmt.Errorf("read capability document: it must have at most %d objects, got %d", maxObjects, n)
	}
	var own members
	if err := json.Unmarshal(data, &own); err != nil {
		return fmt.Errorf("read capability document: %w", err)
	}
	if own.Format > Format {
		return fmt.Errorf("read capability document: format must be at most %d, got %d", Format, own.Format)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("read capability document: %w", err)
	}
	for key, value := range all {
		if ownKeys[key] {
			continue
		}
		if own.Extra == nil {
			own.Extra = map[string]json.RawMessage{}
		}
		own.Extra[key] = value
	}
	*d = Document(own)
	return nil
}

// plainJSON encodes v without escaping <, > and &, which are common in version output.
func plainJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
