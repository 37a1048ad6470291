package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// document is Capabilities without its methods: the document's own keys.
type document Capabilities

// ownKeys are the members that the document itself has; Extra cannot overwrite
// them.
var ownKeys = func() map[string]bool {
	keys := map[string]bool{}
	for field := range reflect.TypeFor[document]().Fields() {
		if key, _, _ := strings.Cut(field.Tag.Get("json"), ","); key != "-" {
			keys[key] = true
		}
	}
	return keys
}()

// MarshalJSON writes the document: its own keys in their order, then Extra
// sorted by key. Empty lists are [], never null.
func (c Capabilities) MarshalJSON() ([]byte, error) {
	own := document(c)
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
	for _, key := range slices.Sorted(maps.Keys(c.Extra)) {
		if ownKeys[key] {
			continue
		}
		name, err := plainJSON(key)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, ','), name...), ':')
		out = append(out, c.Extra[key]...)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads a document that this or an earlier release wrote. A
// document without a format is read as far as its keys are ours; members that
// are not become Extra.
func (c *Capabilities) UnmarshalJSON(data []byte) error {
	var own document
	if err := json.Unmarshal(data, &own); err != nil {
		return fmt.Errorf("read capability document: %w", err)
	}
	if own.Format > Format {
		return fmt.Errorf("read capability document: its format is %d, and this release reads up to %d", own.Format, Format)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("read capability document: %w", err)
	}
	for key, value := range members {
		if ownKeys[key] {
			continue
		}
		if own.Extra == nil {
			own.Extra = map[string]json.RawMessage{}
		}
		own.Extra[key] = value
	}
	*c = Capabilities(own)
	return nil
}

// plainJSON encodes without escaping <, > and &, which version output is full
// of; whoever encodes the whole still may.
func plainJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
