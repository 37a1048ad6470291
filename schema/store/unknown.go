package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/attune-go/attune/schema/metadata"
)

// An UnknownRuntimeError reports a ref that neither a definition nor a worker has. It unwraps
// to ErrNotFound.
type UnknownRuntimeError struct {
	Ref string
	// Near is the ref that is probably meant. Empty if none is similar.
	Near string
	// Undefined reports that the database has no definition at all.
	Undefined bool
}

func (e *UnknownRuntimeError) Unwrap() error { return ErrNotFound }

func (e *UnknownRuntimeError) Error() string {
	text := fmt.Sprintf("runtime %q: %v", e.Ref, ErrNotFound)
	switch {
	case e.Undefined:
		text += "; the database has no runtimes: load a pack"
	case e.Near != "":
		text += "; did you mean " + e.Near + "?"
	}
	return text
}

// checkKnown returns an UnknownRuntimeError if nobody knows a ref. A guest also knows the core
// pack, whose definitions need no rows there. A worker can have a runtime that only a pack of
// its host defines, or that no longer has a definition. Both are found by indexes.
func (w *Workers) checkKnown(ctx context.Context, ref string) error {
	core := []string{}
	if w.layout.Guest() {
		core = metadata.CoreRefs()
	}
	if slices.Contains(core, ref) {
		return nil
	}
	if storable(ref) {
		var known bool
		err := w.db.NewRaw(`SELECT EXISTS (SELECT 1 FROM ?0 AS runtime WHERE runtime.ref = ?1)
			OR (SELECT found.worker FROM ?2 AS found WHERE found.runtime_ref = ?1 AND found.outcome = 'available'
				ORDER BY found.sort_key NULLS FIRST LIMIT 1) IS NOT NULL -- the order makes Postgres read the index
			OR EXISTS (SELECT 1 FROM ?2 AS found WHERE found.runtime IS NULL AND ?3 AND found.runtime_ref = ?1)`,
			w.rows("runtime"), ref, w.rows("worker_runtime"), w.isFolded("found.runtime_ref", ref)).Scan(ctx, &known)
		if err != nil || known {
			return w.classify("find", err)
		}
	}
	var refs []string
	err := w.db.NewRaw("SELECT runtime.ref FROM ? AS runtime ORDER BY 1 LIMIT ?", w.rows("runtime"), MaxDefinitions).Scan(ctx, &refs)
	if err != nil {
		return w.classify("find", err)
	}
	refs = append(refs, core...)
	return &UnknownRuntimeError{Ref: ref, Near: metadata.Nearest(ref, refs), Undefined: len(refs) == 0}
}
