package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
)

// A Setting is a key with the value in effect.
type Setting struct {
	Key string `json:"key"`
	// Value is nil where Default says in words what counts. Passwords in URLs are
	// masked.
	Value   any    `json:"value"`
	Default string `json:"default,omitempty"`
	Source  Source `json:"source"`
	// Where is the flag, the variable, or file and line.
	Where string `json:"where,omitempty"`
	// Variable and Flag are those that could set it.
	Variable string `json:"environment,omitempty"`
	Flag     string `json:"flag,omitempty"`
	// Fault is why a program that reads the value refuses it; usually empty.
	Fault string `json:"fault,omitempty"`
}

// Settings returns the settings in effect for a program, or for all programs if program is
// empty. flags holds the flags that were given, with their values.
func (f *File) Settings(program string, flags map[string]any, getenv func(string) string) []Setting {
	var list []Setting
	for _, k := range Keys(program) {
		if section, ok := strings.CutSuffix(k.Name, ".*"); ok {
			list = append(list, f.carried(section)...)
			continue
		}
		s := Setting{Key: k.Name, Default: k.Default, Variable: k.Variable, Flag: k.Flag}
		origin := f.origin(&k, flags, getenv)
		s.Source, s.Where = origin.Source, origin.Where
		switch {
		case s.Source == FromFlag:
			s.Value = flags[k.Flag]
		case origin == f.Origins[k.Name]: // also for the variables that Load reads
			s.Value = plain(f.value(k.Name))
		case s.Source == FromEnvironment:
			s.Value, s.Fault = parsed(k.Name, f.value(k.Name), getenv(k.Variable))
		case k.Name == "config" && f.Path != "":
			s.Value = f.Path
		}
		if s.Source != FromDefault && s.Fault == "" {
			if err := check(k.Name, s.Value); err != nil {
				s.Fault = err.Error()
			}
		}
		s.Value, s.Fault = masked(s.Value), masked(s.Fault).(string)
		list = append(list, s)
	}
	return list
}

// carried returns the keys under capabilities that go into the document unchanged.
func (f *File) carried(section string) (list []Setting) {
	extra := f.Worker.Capabilities.Extra
	if strings.HasPrefix(section, "sensor.") {
		extra = f.Sensor.Capabilities.Extra
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		var value any
		_ = json.Unmarshal(extra[name], &value) // Parse made it
		origin := f.Origins[section+"."+name]
		list = append(list, Setting{Key: section + "." + name, Value: masked(value), Source: origin.Source, Where: origin.Where})
	}
	return list
}

// value returns the field of a key, or an invalid value for a key that the file
// cannot hold.
func (f *File) value(key string) reflect.Value {
	if section, ok := strings.CutSuffix(key, ".capabilities."+runtimesKey); ok {
		return f.value(section + ".capabilities").FieldByName("Runtimes")
	}
	v := reflect.ValueOf(f).Elem()
	for part := range strings.SplitSeq(key, ".") {
		field, ok := fieldOf(v, part)
		if !ok {
			return reflect.Value{}
		}
		v = field
	}
	return v
}

func fieldOf(v reflect.Value, tag string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("config") == tag {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// plain returns a field as people write it.
func plain(v reflect.Value) any {
	switch value := v.Interface().(type) {
	case time.Duration:
		return Span(value)
	case *time.Duration:
		return Span(*value)
	}
	return v.Interface()
}

// Span returns a duration as people write it: 1m, not 1m0s.
func Span(d time.Duration) string {
	text := d.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}

// parsed returns the text of a variable as the type of a field.
func parsed(key string, field reflect.Value, text string) (value any, fault string) {
	if !field.IsValid() {
		return text, ""
	}
	switch field.Interface().(type) {
	case time.Duration, *time.Duration:
		if d, err := answer.ParseSpan(text); err == nil && d >= 0 {
			return Span(d), ""
		}
		return text, fmt.Sprintf("must be a duration such as 10s or 1m30s, got %q", text)
	case int:
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return n, ""
		}
		return text, fmt.Sprintf("must be a whole number of at least 1, got %q", text)
	case []string: // runtimes or taints: those of the policy are in the file already
		if strings.HasSuffix(key, "."+TaintsKey) {
			return valueOf(text, ParseTaints)
		}
		return declared(text), ""
	case map[string]string:
		return valueOf(text, ParseLabels)
	}
	return text, ""
}

// valueOf returns the value of a variable, or its text with the fault.
func valueOf[T any](text string, parse func(string) (T, error)) (value any, fault string) {
	v, err := parse(text)
	if err != nil {
		return text, err.Error()
	}
	return v, ""
}

// declared returns the names in a variable of runtimes.
func declared(text string) []string {
	list := []string{}
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" && !strings.EqualFold(strings.TrimSpace(text), "none") {
			list = append(list, name)
		}
	}
	return list
}

var urls = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]+`)

// masked returns a value without the passwords of the URLs in it.
func masked(value any) any {
	switch v := value.(type) {
	case string:
		return urls.ReplaceAllStringFunc(database.Redact(v), database.Redact)
	case []string:
		list := make([]string, len(v))
		for i := range v {
			list[i] = masked(v[i]).(string)
		}
		return list
	case []any:
		for i := range v {
			v[i] = masked(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = masked(v[key])
		}
	case map[string]string:
		labels := map[string]string{}
		for key, text := range v {
			labels[key] = masked(text).(string)
		}
		return labels
	}
	return value
}

// Misspelt returns a sentence for each variable of environ that no program reads
// and that is nearly one that some do.
func Misspelt(environ []string) (sentences []string) {
	// Command lines read these, and package testdb the last one.
	known := []string{"ATTUNE_SERVER", "ATTUNE_TOKEN", "ATTUNE_COMPLETION_TIMEOUT", "ATTUNE_TEST_DATABASE_URL"}
	for _, k := range Keys("") {
		known = append(known, k.Variable)
	}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "ATTUNE_") || strings.TrimSpace(value) == "" || slices.Contains(known, name) {
			continue
		}
		if near := metadata.Nearest(name, known); near != "" {
			sentences = append(sentences, fmt.Sprintf("the variable %s is read by no program; did you mean %s?", name, near))
		}
	}
	return sentences
}

// Text returns the value for people.
func (s *Setting) Text() string {
	switch v := s.Value.(type) {
	case nil:
		return s.Default
	case string:
		return v
	case []string:
		return cmp.Or(strings.Join(v, ", "), "none")
	case map[string]string:
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, key+"="+v[key])
		}
		return cmp.Or(strings.Join(pairs, ", "), "none")
	}
	text, err := json.Marshal(s.Value)
	if err != nil {
		return fmt.Sprint(s.Value)
	}
	return string(text)
}
