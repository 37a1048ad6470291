package api

import (
	"context"
	"sync"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/metadata"
)

// definitions are the definitions of a database at one time.
type definitions struct {
	list  []metadata.Definition
	index *metadata.Index
	// retired lists the refs that a platform has retired.
	retired []string
	// mark changes with them. It is empty where the database has none.
	mark string
}

// revision returns what changes with the definitions, or false if only they themselves tell. A program completes
// the rows from its own pack, so its version is a part.
func (d *definitions) revision() ([]string, bool) {
	return []string{d.mark, attune.Version}, d.mark != ""
}

// A cache holds the definitions until their mark changes.
type cache struct {
	mu   sync.Mutex
	held *definitions
}

// definitions returns the definitions, which stay the same for a call.
func (a *API) definitions(ctx context.Context) (*definitions, error) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return a.readDefinitions(ctx)
	}
	var err error
	if c.definitions == nil {
		c.definitions, err = a.readDefinitions(ctx)
	}
	return c.definitions, err
}

// readDefinitions reads the definitions only if their mark has changed. Databases without a mark, and
// those of a platform, are read every time.
func (a *API) readDefinitions(ctx context.Context) (*definitions, error) {
	var mark string
	if !a.store.Layout().Guest() {
		var err error
		if mark, err = a.store.DefinitionsMark(ctx); err != nil {
			return nil, err
		}
	}
	a.cache.mu.Lock()
	held := a.cache.held
	fresh := mark != "" && held != nil && held.mark == mark
	a.cache.mu.Unlock()
	if fresh {
		return held, nil
	}
	list, err := a.cfg.Definitions(ctx)
	if err != nil {
		return nil, err
	}
	retired, err := a.store.Runtimes.Retired(ctx)
	if err != nil {
		return nil, err
	}
	read := &definitions{list, metadata.NewIndex(list), retired, mark} // a mark from before the read is right, or changes once more
	read.index.Retire(a.cfg.Retired(retired))
	a.cache.mu.Lock()
	defer a.cache.mu.Unlock()
	a.cache.held = read
	return read, nil
}

// term reads and resolves a runtime of a parameter.
func (a *API) term(ctx context.Context, parameter, text string, prereleases bool) (*answer.RuntimeTerm, error) {
	term, err := answer.ParseRuntimeTerm(text, prereleases)
	if err != nil {
		return nil, wrong(parameter, "%v", err)
	}
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	if err := term.Resolve(ctx, a.store, defs.index); err != nil {
		return nil, unknownRuntime(parameter, err)
	}
	return &term, nil
}

// columns returns the runtimes of parameters without versions, or all definitions.
func (a *API) columns(ctx context.Context, names []string) ([]answer.RuntimeTerm, error) {
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	if len(names) > maxColumns {
		return nil, wrong("runtime", "must be given at most %d times, got %d", maxColumns, len(names))
	}
	if defined := defs.named(names); defined != nil {
		return answer.ColumnsOf(ctx, a.store, defined)
	}
	columns := make([]answer.RuntimeTerm, 0, len(names))
	var faults []Fault
	for _, name := range names {
		term, err := a.term(ctx, "runtime", name, false)
		switch {
		case err == nil && term.Constraint != nil:
			faults = append(faults, Fault{Parameter: "runtime", Message: "must be a runtime without versions, got " + name})
		case err == nil:
			columns = append(columns, *term)
		default:
			if faults, err = addFaults(faults, err); err != nil {
				return nil, err
			}
		}
	}
	if len(faults) > 0 {
		return nil, invalid(faults...)
	}
	return columns, nil
}

// named returns the definitions with names, or all without names. It returns nil unless all names have one.
func (d *definitions) named(names []string) []metadata.Definition {
	if len(names) == 0 {
		return d.list
	}
	found := make([]metadata.Definition, len(names))
	for i, name := range names {
		def, ok := d.index.Resolve(name)
		if !ok {
			return nil
		}
		found[i] = *def
	}
	return found
}

// maxColumns bounds the runtimes of one request.
const maxColumns = 200
