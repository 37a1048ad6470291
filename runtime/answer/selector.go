package answer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// Keys are the keys of the terms of a selector, such as role in role:worker, in the order in
// which they are listed. A term without a key is a name.
var Keys = []string{"name", "id", "host", "role", "status", "silent", "label", "has", "lacks"}

// stale is the status of workers that missed heartbeats. No row has it.
const stale = "stale"

// A Selector selects workers by terms. Its runtimes are still names, which Resolve finds.
type Selector struct {
	store.Selection
	// Has and Lacks hold the runtimes. They hide the Selection's fields of these names.
	Has, Lacks []RuntimeTerm
}

// A TermError reports a term of a selector that cannot be read.
type TermError struct {
	// Term is the term, and Key its key. Both are as they were written.
	Term, Key string
	// Near is the key that is probably meant. It is empty if the key is known.
	Near string
	// Err says what is wrong with the value. It is nil if the key is unknown or the value
	// is missing.
	Err error
}

func (e *TermError) Error() string {
	switch {
	case e.Near != "":
		return fmt.Sprintf("selector %q: there is no %s:; did you mean %s:? (name:%s is a worker of that name)", e.Term, e.Key, e.Near, e.Term)
	case e.Err == nil:
		return fmt.Sprintf("selector %q: there is nothing after %s:", e.Term, e.Key)
	case e.Key == "has" || e.Key == "lacks":
		return e.Err.Error() // it quotes the value
	}
	return e.Key + ": " + e.Err.Error()
}

func (e *TermError) Unwrap() error { return e.Err }

// ParseSelector reads terms such as web-*, role:worker or has:python@>=3.12, which must all
// match. With prereleases, pre-releases satisfy the constraints. Errors: *TermError.
func ParseSelector(terms []string, prereleases bool) (*Selector, error) {
	s := new(Selector)
	for _, term := range terms {
		key, value, err := SplitTerm(term)
		if err == nil {
			err = s.Add(key, value, prereleases)
		}
		if err != nil {
			err.Term = term
			return nil, err
		}
	}
	return s, nil
}

// SplitTerm returns the key and the value of a term. The key is one of Keys. It returns an error for a key
// that is probably another one, misspelled.
func SplitTerm(term string) (key, value string, err *TermError) {
	key, value, ok := strings.Cut(term, ":")
	if ok && slices.Contains(Keys, key) {
		return key, value, nil
	}
	if near := metadata.Nearest(key, Keys); ok && near != "" {
		return "", "", &TermError{Term: term, Key: key, Near: near}
	}
	return "name", term, nil
}

// Add adds one term, whose key must be one of Keys. It returns nil if it can.
func (s *Selector) Add(key, value string, prereleases bool) *TermError {
	if strings.TrimSpace(value) == "" {
		return &TermError{Term: key + ":" + value, Key: key}
	}
	if err := s.add(key, value, prereleases); err != nil {
		return &TermError{Term: key + ":" + value, Key: key, Err: err}
	}
	return nil
}

// add adds one term.
func (s *Selector) add(key, value string, prereleases bool) error {
	switch key {
	case "name":
		s.Names = append(s.Names, value)
	case "host":
		s.Hosts = append(s.Hosts, value)
	case "id":
		id, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("must be a number, got %q", value)
		}
		s.IDs = append(s.IDs, id)
	case "role":
		role, err := parseRole(value)
		if err != nil {
			return err
		}
		s.Roles = append(s.Roles, role)
	case "status":
		return s.addStatus(value)
	case "silent":
		span, err := ParseSpan(value)
		if err == nil && span <= 0 {
			err = fmt.Errorf("must be greater than 0, got %q", value)
		}
		if err != nil {
			return err
		}
		s.Silent = max(s.Silent, span)
	case "label":
		label := store.Label{Key: value}
		if key, text, ok := strings.Cut(value, "="); ok {
			label = store.Label{Key: key, Value: &text}
		}
		s.Labels = append(s.Labels, label)
	default:
		term, err := ParseRuntimeTerm(value, prereleases)
		if err != nil {
			return err
		}
		if key == "has" {
			s.Has = append(s.Has, term)
		} else {
			s.Lacks = append(s.Lacks, term)
		}
	}
	return nil
}

// ParseRole reads a role, as the term role does. Errors: *TermError.
func ParseRole(value string) (metadata.Role, error) {
	role, err := parseRole(value)
	if err != nil {
		return "", &TermError{Term: value, Key: "role", Err: err}
	}
	return role, nil
}

func parseRole(value string) (metadata.Role, error) {
	switch role := metadata.Role(value); role {
	case metadata.Worker, metadata.Sensor:
		return role, nil
	}
	return "", fmt.Errorf("must be worker or sensor, got %q", value)
}

func (s *Selector) addStatus(value string) error {
	switch status := schema.WorkerStatus(value); status {
	case schema.WorkerActive, schema.WorkerInactive, schema.WorkerBusy, schema.WorkerError:
		s.Statuses = append(s.Statuses, status)
		return nil
	}
	if value != stale {
		return fmt.Errorf("must be active, inactive, busy, error or stale, got %q", value)
	}
	s.Stale = true
	return nil
}

// Runtimes returns the runtimes that the selector names, each once.
func (s *Selector) Runtimes() []RuntimeTerm {
	var all []RuntimeTerm
	for _, term := range slices.Concat(s.Has, s.Lacks) {
		if !slices.ContainsFunc(all, func(t RuntimeTerm) bool { return t.Ref == term.Ref && t.Name == term.Name }) {
			all = append(all, term)
		}
	}
	return all
}

// Resolve finds the runtimes of the selector and returns the selection. Errors:
// *UnknownRuntimeError.
func (s *Selector) Resolve(ctx context.Context, st *store.Store, index *metadata.Index) (store.Selection, error) {
	selection := s.Selection
	for _, list := range []struct {
		from []RuntimeTerm
		to   *[]store.RuntimeFilter
	}{{s.Has, &selection.Has}, {s.Lacks, &selection.Lacks}} {
		for i := range list.from {
			if err := list.from[i].Resolve(ctx, st, index); err != nil {
				return selection, err
			}
			*list.to = append(*list.to, list.from[i].RuntimeFilter)
		}
	}
	return selection, nil
}
