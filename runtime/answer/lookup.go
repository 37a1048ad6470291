package answer

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// An UnknownWorkerError reports a name, an ID or a host that no worker has.
type UnknownWorkerError struct {
	// Key is name, id or host.
	Key string
	// Value is the name, the ID or the host.
	Value string
	// Near is the name that is probably meant, or empty.
	Near string
	// Runtime is the value as a RuntimeTerm if it is a runtime with versions. Else it is
	// empty.
	Runtime string
}

func (e *UnknownWorkerError) Error() string {
	if e.Key == "name" {
		return fmt.Sprintf("no worker %q", e.Value)
	}
	return fmt.Sprintf("no worker with the %s %q", e.Key, e.Value)
}

// A Finder finds workers: in a database, or through a server.
type Finder interface {
	// Find returns the workers of a selection by name, without documents.
	Find(ctx context.Context, s store.Selection) ([]store.WorkerSnapshot, error)
	// Names returns the names of all workers.
	Names(ctx context.Context) ([]string, error)
}

// In returns the Finder of a database.
func In(st *store.Store) Finder { return finder{st} }

type finder struct{ store *store.Store }

func (f finder) Find(ctx context.Context, s store.Selection) ([]store.WorkerSnapshot, error) {
	found, err := FindWorkers(ctx, f.store, WorkersQuery{Selection: s, WithoutDocuments: true})
	if err != nil {
		return nil, err
	}
	return found.Items, nil
}

func (f finder) Names(ctx context.Context) ([]string, error) { return f.store.Workers.Names(ctx) }

// LookUpWorkers returns the workers with a name, which may differ in role; else the worker
// with an ID; else the workers on a host. The terms name:, id: and host: ask for one of these
// only. With roles, a worker must have one of them. It reads no documents, as EachWorker does.
// Errors: *TermError, *UnknownWorkerError.
func LookUpWorkers(ctx context.Context, in Finder, text string, roles ...metadata.Role) ([]store.WorkerSnapshot, error) {
	tries := []store.Selection{{Names: []string{text}}, {Hosts: []string{text}}}
	if id, err := strconv.ParseInt(text, 10, 64); err == nil {
		tries = slices.Insert(tries, 1, store.Selection{IDs: []int64{id}})
	}
	if key, _, ok := strings.Cut(text, ":"); ok && slices.Contains([]string{"name", "id", "host"}, key) {
		s, err := ParseSelector([]string{text}, false)
		if err != nil {
			return nil, err
		}
		tries = []store.Selection{s.Selection}
	}
	if strings.TrimSpace(text) == "" { // no worker has this name, and an API refuses it
		tries = nil
	}
	for _, s := range tries {
		s.Roles = roles
		found, err := in.Find(ctx, s)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	names, err := in.Names(ctx)
	if err != nil {
		return nil, err
	}
	return nil, unknownName(text, names)
}

// unknownName returns the error for a name that is not among the names of workers.
func unknownName(name string, names []string) *UnknownWorkerError {
	e := &UnknownWorkerError{Key: "name", Value: name, Near: metadata.Nearest(name, names)}
	e.Runtime, _ = asRuntimeTerm(name)
	return e
}

// UnknownNames returns the names that no worker has. A pattern is left out, unless it is a
// runtime with versions.
func UnknownNames(ctx context.Context, in Finder, names []string) ([]*UnknownWorkerError, error) {
	known, err := in.Names(ctx)
	if err != nil {
		return nil, err
	}
	var unknown []*UnknownWorkerError
	for _, name := range names {
		e := unknownName(name, known)
		pattern := strings.ContainsAny(name, "*?") && e.Runtime == ""
		if !pattern && !slices.ContainsFunc(known, func(k string) bool { return isNamed(name, k) }) {
			unknown = append(unknown, e)
		}
	}
	return unknown, nil
}

// isNamed reports whether a worker's name is the given one or fits its pattern.
func isNamed(pattern, name string) bool {
	fits, _ := path.Match(pattern, name) // an invalid pattern matches nothing
	return fits || pattern == name
}

// Missing returns the names, IDs and hosts of a selection that no worker has. A pattern is not
// missing, unless it is a runtime with versions.
func Missing(ctx context.Context, in Finder, s store.Selection) ([]*UnknownWorkerError, error) {
	missing, err := UnknownNames(ctx, in, s.Names)
	if err != nil {
		return nil, err
	}
	for _, one := range []struct {
		key    string
		values []string
		store.Selection
		of func(w *store.WorkerSnapshot) string
	}{
		{"id", decimals(s.IDs), store.Selection{IDs: s.IDs}, func(w *store.WorkerSnapshot) string { return strconv.FormatInt(w.ID, 10) }},
		{"host", s.Hosts, store.Selection{Hosts: s.Hosts}, func(w *store.WorkerSnapshot) string { return *w.Host }},
	} {
		if len(one.values) == 0 {
			continue // an empty selection is every worker
		}
		found, err := in.Find(ctx, one.Selection)
		if err != nil {
			return nil, err
		}
		known := map[string]bool{}
		for i := range found {
			known[one.of(&found[i])] = true
		}
		for _, value := range one.values {
			if !known[value] {
				missing = append(missing, &UnknownWorkerError{Key: one.key, Value: value})
			}
		}
	}
	return missing, nil
}

func decimals(ids []int64) (texts []string) {
	for _, id := range ids {
		texts = append(texts, strconv.FormatInt(id, 10))
	}
	return texts
}
