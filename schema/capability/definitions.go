package capability

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/schema/metadata"
)

// Definitions identifies the definitions of a database that a document is about. A runtime of
// theirs that was not found has no entry, so a document does not grow with what a host does not
// have.
type Definitions struct {
	// Mark is the mark of the definitions, or empty if the database has none.
	Mark string `json:"mark,omitempty"`
	// Read is the time before they were read, by the database's clock.
	Read time.Time `json:"read"`
}

// OmitsNotFound reports whether runtimes that were not found have no entry. If the host's
// settings list the runtimes, each has one.
func (d *Document) OmitsNotFound() bool {
	return d != nil && d.Definitions != nil && d.Source == SourceDatabase
}

// NotFound returns the absence of a runtime that a document does not mention. It returns nil if
// the host was not asked, because the definition is for the other role or was created after the
// definitions had been read. The zero time means that the database has no row of the definition.
func (d *Document) NotFound(def *metadata.Definition, role metadata.Role, created time.Time) *Absence {
	if !d.OmitsNotFound() || def == nil || role != "" && !def.HasRole(role) || created.After(d.Definitions.Read) {
		return nil
	}
	if r, has := d.Runtime(def.Ref); has || r.Absence != nil {
		return nil
	}
	a := &Absence{Ref: def.Ref, Name: def.CapabilityName(), Outcome: NotFound}
	var binaries []string
	for _, c := range commandsOf(def) {
		attempt := Attempt{Command: slices.Concat([]string{c.Binary}, c.Args), Optional: c.Optional, Outcome: NotFound}
		attempt.Detail, attempt.Hint = NotFoundIn(d.Host.Path, c.Binary)
		a.Attempts = append(a.Attempts, attempt)
		if !slices.Contains(binaries, c.Binary) {
			binaries = append(binaries, c.Binary)
		}
	}
	a.Detail, a.Hint = NotFoundIn(d.Host.Path, binaries...)
	return a
}

// commandsOf returns the commands of a definition and its versions.
func commandsOf(def *metadata.Definition) (commands []metadata.Command) {
	if v := def.Distributions.Verification; v != nil {
		commands = v.Ordered()
	}
	for i := range def.Versions {
		if v := def.Versions[i].Distributions.Verification; v != nil {
			commands = append(commands, v.Ordered()...)
		}
	}
	return commands
}

// NotFoundIn returns where binaries were looked for, and a hint. path holds the folders of PATH.
func NotFoundIn(path []string, binaries ...string) (detail, hint string) {
	var details, names []string
	for _, b := range binaries {
		if filepath.IsAbs(b) {
			details = append(details, "no executable file at "+b)
		} else {
			names = append(names, b)
		}
	}
	list, verb := strings.Join(names, ", "), "are"
	switch len(names) {
	case 0:
		return strings.Join(details, "; "), "install it"
	case 1:
		verb, hint = "is", "install "+list
	default:
		hint = "install one of them"
	}
	where := fmt.Sprintf("in none of the %d folders of PATH", len(path))
	if len(path) == 0 {
		where = "not found: PATH is empty"
	}
	details = append([]string{fmt.Sprintf("%s %s %s", list, verb, where)}, details...)
	return strings.Join(details, "; "), hint + ", or add its folder to this service's PATH"
}
