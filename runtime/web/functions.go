package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
)

// functions are what the templates call.
var functions = template.FuncMap{
	"ago":         ago,
	"cell":        cellOf,
	"change":      func(k schema.ChangeKind) string { return strings.TrimPrefix(string(k), "version_") },
	"changeTable": newChangeTable,
	"command":     shellLine,
	"count":       count,
	"label":       func(key, value string) string { return quoted("label:" + key + "=" + value) },
	"state":       stateOf,
	"taint":       taintText,
	"versions":    versions,
	"stamp":       func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"iso":         func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}

// ago returns the time between two times by the database's clock, in words. The first may be missing.
func ago(then any, now time.Time) string {
	switch then := then.(type) {
	case time.Time:
		return answer.Ago(now.Sub(then))
	case *time.Time:
		if then != nil {
			return answer.Ago(now.Sub(*then))
		}
	}
	return "never"
}

// A changeTable is a table of changes.
type changeTable struct {
	Items []answer.Change
	Root  string
	// OneHost leaves out the host, which is the page's.
	OneHost bool
}

func newChangeTable(items []answer.Change, root string, oneHost bool) changeTable {
	return changeTable{items, root, oneHost}
}

// versions returns the versions of a change.
func versions(c answer.Change) string {
	text := func(version *string) string {
		if version == nil {
			return "?"
		}
		return *version
	}
	switch {
	case c.OldVersion != nil && c.NewVersion != nil, c.Kind == schema.VersionChanged:
		return text(c.OldVersion) + " → " + text(c.NewVersion)
	case c.NewVersion != nil:
		return *c.NewVersion
	case c.OldVersion != nil:
		return *c.OldVersion
	}
	return ""
}

// taintText returns a taint as commands write it.
func taintText(t answer.Taint) string {
	text := t.Key
	if t.Value != nil {
		text += "=" + *t.Value
	}
	return text + ":" + t.Effect
}

// count returns a number with commas between thousands.
func count(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// A state is what a worker does, in words.
type state struct {
	// Name is active, busy, error, stale, inactive, or unknown.
	Name string
	// Cordoned and Tainted report what operators did.
	Cordoned, Tainted bool
}

// stateOf returns the state of a worker.
func stateOf(status string, stale bool, o answer.Operations) state {
	s := state{Name: status, Cordoned: o.Cordon != nil, Tainted: len(o.OperatorTaints) > 0}
	switch {
	case stale:
		s.Name = "stale"
	case status == "" || status == "-":
		s.Name = "unknown"
	}
	return s
}

// A cell is a cell of the matrix as it is shown.
type cell struct {
	// Class is the class of its style.
	Class string
	// Text has a glyph and, if the runtime is available, its version.
	Text string
	// Label is what assistive technology reads in place of the text. It is empty if the text says it all.
	Label string
	// Title explains more.
	Title string
}

// The glyphs of the states, which differ in form, so that colors are not needed.
var glyphs = map[answer.CellState]struct{ class, glyph, label string }{
	answer.CellAvailable:  {"ok", "●", "available"},
	answer.CellDiscounted: {"di", "◐", "found, but does not count"},
	answer.CellAbsent:     {"ab", "–", "absent"},
	answer.CellUnknown:    {"un", "?", "could not be determined"},
	answer.CellUnasked:    {"na", "·", "not asked"},
}

func cellOf(c answer.Cell) cell {
	g := glyphs[c.State]
	shown := cell{Class: g.class, Text: g.glyph, Label: g.label}
	if c.State != answer.CellAvailable {
		if c.Outcome != "" && c.Outcome != capability.NotFound {
			shown.Label += ": " + string(c.Outcome)
		}
		shown.Title = shown.Label
		return shown
	}
	shown.Label = ""
	version := c.Version
	if version == "" {
		version = "present"
	}
	shown.Text += " " + version
	if c.Others > 0 {
		shown.Text += fmt.Sprintf(" +%d", c.Others)
		shown.Title = fmt.Sprintf("%d more installed", c.Others)
	}
	if c.Unconfirmed {
		shown.Text += " ?"
		shown.Title = strings.TrimPrefix(shown.Title+"; the last verification did not confirm it", "; ")
	}
	return shown
}
