package answer

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// A RuntimeTerm is a runtime as people ask for it: NAME or NAME@CONSTRAINT.
type RuntimeTerm struct {
	store.RuntimeFilter
	// Written is the name as it was written.
	Written string
	// Definition is the runtime's definition once Resolve has found it. It is nil if the
	// database has none.
	Definition *metadata.Definition
	// Created is the time of the definition's row, by the database's clock. It is zero if the
	// definition has none.
	Created time.Time
}

// A RuntimeTermError reports a RuntimeTerm that cannot be read.
type RuntimeTermError struct {
	// Text is the term, and Runtime the name in it.
	Text, Runtime string
	// Err is ErrNoVersions, or the error of version.ParseConstraint. It is nil if the name
	// is missing.
	Err error
}

// ErrNoVersions reports a term that ends after its @.
var ErrNoVersions = errors.New("no versions after the @")

func (e *RuntimeTermError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("must name a runtime, such as python or python@>=3.12, got %q", e.Text)
	}
	return fmt.Sprintf("%q: %v", e.Text, e.Err)
}

func (e *RuntimeTermError) Unwrap() error { return e.Err }

// ParseRuntimeTerm reads NAME or NAME@CONSTRAINT. Errors: *RuntimeTermError.
func ParseRuntimeTerm(text string, prereleases bool) (RuntimeTerm, error) {
	name, constraint, constrained := strings.Cut(text, "@")
	t := RuntimeTerm{Written: strings.TrimSpace(name), RuntimeFilter: store.RuntimeFilter{Prereleases: prereleases}}
	switch {
	case t.Written == "":
		return t, &RuntimeTermError{Text: text}
	case !constrained:
		return t, nil
	case strings.TrimSpace(constraint) == "":
		return t, &RuntimeTermError{text, t.Written, ErrNoVersions}
	}
	c, err := version.ParseConstraint(constraint)
	if err != nil {
		return t, &RuntimeTermError{text, t.Written, err}
	}
	t.Constraint = &c
	return t, nil
}

// An UnknownRuntimeError reports a name that no runtime has.
type UnknownRuntimeError struct {
	Name string
	// Near is the name that is probably meant, or empty.
	Near string
	// Term is the name as a RuntimeTerm if it is a runtime and versions without the @
	// between them. Else it is empty.
	Term string
}

func (e *UnknownRuntimeError) Error() string { return fmt.Sprintf("no runtime %q", e.Name) }

// Resolve finds the runtime that is meant: by the definitions of index, else by what workers
// declared, or had when there still was a definition. Errors: *UnknownRuntimeError.
func (t *RuntimeTerm) Resolve(ctx context.Context, st *store.Store, index *metadata.Index) error {
	if def, ok := index.Resolve(t.Written); ok {
		t.Ref, t.Name, t.Definition = def.Ref, def.CapabilityName(), def
		var err error
		t.Created, err = st.Runtimes.Created(ctx, t.Ref)
		return err
	}
	undefined, err := st.WorkerRuntimes.Undefined(ctx, t.Written)
	switch {
	case err == nil:
		t.Ref, t.Name = undefined.Ref, undefined.Name
		return nil
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	return UnknownRuntime(t.Written, index)
}

// UnknownRuntime returns the error for a name that no runtime has.
func UnknownRuntime(name string, index *metadata.Index) *UnknownRuntimeError {
	unknown := &UnknownRuntimeError{Name: name, Near: index.Nearest(name)}
	unknown.Term, _ = withAt(name)
	return unknown
}

// unseparated matches a name and a constraint without the @ between them.
var unseparated = regexp.MustCompile(`^([^\s<>=!~^]+?)\s*([<>=!~^:].*|\s[0-9].*)$`)

// withAt reports whether a name is a runtime and a constraint without the @ between them, and
// returns it with the @.
func withAt(name string) (term string, ok bool) {
	m := unseparated.FindStringSubmatch(name)
	if m == nil {
		return "", false
	}
	constraint := strings.TrimSpace(strings.TrimLeft(m[2], ":"))
	if single := strings.TrimPrefix(constraint, "="); strings.HasPrefix(single, "=") {
		constraint = strings.TrimSpace(single[1:]) // python==3.12
	}
	c, err := version.ParseConstraint(constraint)
	if err != nil {
		return m[1] + "@>=3.12", true
	}
	return m[1] + "@" + c.String(), true
}

// asRuntimeTerm reports whether a worker's name is a runtime with versions, and returns it as
// a RuntimeTerm.
func asRuntimeTerm(name string) (term string, ok bool) {
	if runtime, constraint, ok := strings.Cut(name, "@"); ok {
		if _, err := version.ParseConstraint(constraint); err != nil || runtime == "" {
			return "", false
		}
		return name, true
	}
	if strings.ContainsAny(name, "<>=~^") {
		return withAt(name)
	}
	return "", false
}
