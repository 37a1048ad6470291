package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
)

// Parse reads the text of a config file. It reports every fault, not only the
// first.
func Parse(path string, data []byte) (*File, error) {
	f := &File{Path: path, Origins: map[string]Origin{}}
	d := &decoder{file: f}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return f, nil
	case err != nil:
		return nil, &Error{Path: path, Faults: []string{syntaxFault(path, err)}}
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &Error{Path: path, Faults: []string{path + ": must have one document"}}
	}
	if root := doc.Content[0]; !isNull(root) {
		d.decode(root, reflect.ValueOf(f).Elem(), "")
	}
	if len(d.faults) > 0 {
		return nil, &Error{Path: path, Faults: d.faults}
	}
	return f, nil
}

// syntaxFault puts the library's message into our form: file:line: message.
func syntaxFault(path string, err error) string {
	text := cut(strings.TrimPrefix(err.Error(), "yaml: "), 300)
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		return path + ":" + rest + " (the file is not YAML)"
	}
	return path + ": " + text + " (the file is not YAML)"
}

// A decoder fills a File from YAML nodes, and notes what does not fit.
//
// The YAML library could fill it too. But it leaves out entries of lists that have no value, also those of policy.deny; it
// reads 1.5 as 1, 010 as 8 and yes as true; and its faults name Go types instead of keys.
type decoder struct {
	file   *File
	faults []string
}

func (d *decoder) fault(n *yaml.Node, key, format string, args ...any) {
	d.faults = append(d.faults, fmt.Sprintf("%s:%d: %s: %s", d.file.Path, n.Line, cut(key, 300), fmt.Sprintf(format, args...)))
}

func (d *decoder) warn(n *yaml.Node, key, text string) {
	d.file.Warnings = append(d.file.Warnings, fmt.Sprintf("%s:%d: %s: %s", d.file.Path, n.Line, cut(key, 300), text))
}

func (d *decoder) decode(n *yaml.Node, v reflect.Value, key string) {
	if isNull(n) {
		return
	}
	if c, ok := v.Addr().Interface().(*Capabilities); ok {
		d.capabilities(n, c, key)
		return
	}
	if v.Kind() != reflect.Struct {
		d.from(n, key)
	}
	switch v := v.Addr().Interface().(type) {
	case *time.Duration:
		d.duration(n, v, key, 1)
		return
	case **time.Duration:
		*v = new(time.Duration)
		d.duration(n, *v, key, 0)
		return
	case *map[string]string:
		d.texts(n, v, key)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.section(n, v, key)
	case reflect.String:
		if d.scalar(n, key, "text") {
			v.SetString(n.Value)
		}
		d.meant(n, key)
		if strings.HasSuffix(key, ".report_only") && !slices.Contains(ReportOnly, n.Value) {
			d.fault(n, key, "must be auto, true or false, got %s", describe(n))
		}
	case reflect.Bool:
		if b, err := strconv.ParseBool(n.Value); n.Tag != "!!bool" || err != nil {
			d.fault(n, key, "must be true or false, got %s", describe(n))
		} else {
			v.SetBool(b)
		}
	case reflect.Int:
		if i, err := strconv.Atoi(n.Value); n.Tag != "!!int" || err != nil {
			d.fault(n, key, "must be a whole number, got %s", describe(n))
		} else if i < 1 {
			d.fault(n, key, "must be at least 1, got %d", i)
		} else if err := CheckPort(i); strings.HasSuffix(key, ".port") && err != nil {
			d.fault(n, key, "%v", err)
		} else {
			v.SetInt(int64(i))
		}
	case reflect.Slice:
		list := d.list(n, key)
		v.Set(reflect.ValueOf(list))
		if strings.HasSuffix(key, "."+TaintsKey) {
			if err := CheckTaints(list); err != nil {
				d.fault(n, key, "%v", err)
			}
		}
	default:
		panic("config: no rule for " + v.Type().String())
	}
}

// from notes where the value of a key stands.
func (d *decoder) from(n *yaml.Node, key string) {
	d.file.Origins[key] = Origin{FromFile, fmt.Sprintf("%s:%d", d.file.Path, n.Line)}
}

// meant faults a blank database or policy: an unset variable of a template must
// not mean some other database, or a laxer policy.
func (d *decoder) meant(n *yaml.Node, key string) {
	section, _, _ := strings.Cut(key, ".")
	if (section == "database" || section == "policy") && n.Kind == yaml.ScalarNode && strings.TrimSpace(n.Value) == "" {
		d.fault(n, key, "must not be empty; give a value, or leave the key out to have the default")
	}
}

// section decodes a mapping into a struct.
func (d *decoder) section(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, orFile(key), "must be keys with values, got %s", describe(n))
		return
	}
	fields, names := map[string]reflect.Value{}, []string{}
	for i := range v.NumField() {
		if tag := v.Type().Field(i).Tag.Get("config"); tag != "-" {
			fields[tag], names = v.Field(i), append(names, tag)
		}
	}
	d.pairs(n, key, func(name string, k, value *yaml.Node) {
		field, ok := fields[name]
		if ok {
			d.decode(value, field, join(key, name))
			return
		}
		near := metadata.Nearest(name, names)
		switch {
		case near != "":
			d.warn(k, join(key, name), fmt.Sprintf("unknown key; did you mean %s?", near))
		case key != "":
			d.warn(k, join(key, name), "unknown key; known are "+strings.Join(names, ", "))
		}
	})
}

// pairs calls fn for each key of a mapping, and faults keys that stand twice.
func (d *decoder) pairs(n *yaml.Node, key string, fn func(name string, k, value *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, value := n.Content[i], target(n.Content[i+1])
		if k.Kind != yaml.ScalarNode {
			d.fault(k, orFile(key), "must be a name as key, got %s", describe(k))
			continue
		}
		if line, twice := seen[k.Value]; twice {
			d.fault(k, join(key, k.Value), "duplicate key, first at line %d", line)
			continue
		}
		seen[k.Value] = k.Line
		fn(k.Value, k, value)
	}
}

const runtimesKey = "runtimes"

// ownKeys are the keys under capabilities with rules of their own.
var ownKeys = []string{runtimesKey, LabelsKey, MaxConcurrentKey}

func (d *decoder) capabilities(n *yaml.Node, c *Capabilities, key string) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, key, "must be keys with values, got %s", describe(n))
		return
	}
	c.Extra = map[string]json.RawMessage{}
	d.pairs(n, key, func(name string, k, value *yaml.Node) {
		var v any
		var known Service
		place := join(key, name)
		switch {
		case slices.Contains(ownKeys, name) && isNull(value):
			return
		case name == runtimesKey:
			d.from(value, place)
			c.Runtimes = d.list(value, place)
			return
		case name == LabelsKey:
			d.decode(value, reflect.ValueOf(&known.Labels).Elem(), place)
			v = known.Labels
		case name == MaxConcurrentKey:
			d.decode(value, reflect.ValueOf(&known.MaxConcurrentExecutions).Elem(), place)
			v = known.MaxConcurrentExecutions
		default:
			// The key may belong to the platform, unless it resembles one of ours.
			if near := metadata.Nearest(name, ownKeys); near != "" {
				d.warn(k, place, fmt.Sprintf("unknown key, carried along; did you mean %s?", near))
			}
			if most := mostKeys(value, map[*yaml.Node]bool{}); most > keyLimit {
				d.fault(value, place, "must have at most %d keys in a mapping, got %d", keyLimit, most)
				return
			}
			if err := value.Decode(&v); err != nil {
				d.fault(value, place, "%v", err)
				return
			}
		}
		text, err := json.Marshal(v)
		if err != nil {
			d.fault(value, place, "has no JSON form: %v", err)
			return
		}
		d.from(value, place)
		c.Extra[name] = text
	})
}

// keyLimit bounds the mappings under capabilities. The library compares each key with each other
// one: 150,000 keys take it minutes.
const keyLimit = 1000

// mostKeys returns the number of keys of the greatest mapping in a value. seen holds the nodes
// that were counted.
func mostKeys(n *yaml.Node, seen map[*yaml.Node]bool) (most int) {
	n = target(n)
	if seen[n] {
		return 0
	}
	seen[n] = true
	if n.Kind == yaml.MappingNode {
		most = len(n.Content) / 2
	}
	for _, child := range n.Content {
		most = max(most, mostKeys(child, seen))
	}
	return most
}

// list returns a list of text; never nil.
func (d *decoder) list(n *yaml.Node, key string) []string {
	list := []string{}
	if n.Kind != yaml.SequenceNode {
		d.fault(n, key, "must be a list, got %s", describe(n))
		return list
	}
	for i, item := range n.Content {
		item = target(item)
		if d.scalar(item, fmt.Sprintf("%s[%d]", key, i), "text") {
			list = append(list, item.Value)
		}
		d.meant(item, fmt.Sprintf("%s[%d]", key, i))
	}
	return list
}

// duration reads text such as 1m30s. A platform writes whole seconds, without a unit.
func (d *decoder) duration(n *yaml.Node, to *time.Duration, key string, least time.Duration) {
	const want = "a duration such as 10s or 1m30s"
	if !d.scalar(n, key, want) {
		return
	}
	text := n.Value
	if n.Tag == "!!int" {
		text += "s"
	}
	value, err := time.ParseDuration(text)
	switch {
	case err != nil:
		d.fault(n, key, "must be %s, got %s", want, describe(n))
	case value < least && least == 0:
		d.fault(n, key, "must be at least 0, got %v", value)
	case value < least:
		d.fault(n, key, "must be greater than 0, got %v", value)
	default:
		*to = value
	}
}

// texts returns a mapping from names to text, such as labels.
func (d *decoder) texts(n *yaml.Node, to *map[string]string, key string) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, key, "must be names with values, got %s", describe(n))
		return
	}
	*to = map[string]string{}
	d.pairs(n, key, func(name string, _, value *yaml.Node) {
		if !d.scalar(value, join(key, name), "text") {
			return
		}
		if err := requirement.CheckLabel(name, value.Value); err != nil {
			d.fault(value, join(key, name), "%v", err)
		}
		(*to)[name] = value.Value
	})
	if err := requirement.CheckCount(len(*to)); err != nil {
		d.fault(n, key, "%v", err)
	}
}

func (d *decoder) scalar(n *yaml.Node, key, want string) bool {
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		return true
	}
	d.fault(n, key, "must be %s, got %s", want, describe(n))
	return false
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// target returns the node that an alias names, or the node itself.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode: // as a key
		return "an alias"
	}
	if isNull(n) {
		return "nothing"
	}
	return quote(n.Value)
}

// quote returns text in quotes, cut short if it is long.
func quote(text string) string {
	const limit = 60
	if runes := []rune(text); len(runes) > limit {
		return strconv.Quote(string(runes[:limit])) + "…"
	}
	return strconv.Quote(text)
}

// cut returns at most limit characters of a text.
func cut(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}

func orFile(key string) string {
	if key == "" {
		return "the file"
	}
	return key
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}
