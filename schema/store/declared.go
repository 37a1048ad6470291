package store

import (
	"context"
	"fmt"
)

// declareBatch is the maximum number of workers that one transaction of ResolveDeclared reads.
const declareBatch = 1000

// ResolveDeclared writes the rows of the platform's workers again whose declared names mean another runtime by
// now. A name gets another meaning when the platform adds, renames, retires or deletes a runtime or changes its
// aliases. If nothing has changed, only the count of changes is read. ResolveDeclared does nothing in attune's own
// databases.
//
// Services do the same beside their sweeps, so that programs that cannot write see the result soon.
func (w *Workers) ResolveDeclared(ctx context.Context) error {
	for more := true; more; {
		var err error
		if more, err = w.resolveSome(ctx); err != nil {
			return err
		}
	}
	return nil
}

// resolveSome does the work of ResolveDeclared for some workers, in one transaction. more reports that there
// may be others.
func (w *Workers) resolveSome(ctx context.Context) (more bool, err error) {
	if !w.layout.Declares() {
		return false, nil
	}
	if err := w.db.NewRaw("SELECT ?(?)", w.function("declare_workers"), declareBatch).Scan(ctx, &more); err != nil {
		return false, fmt.Errorf("resolve declared runtimes: %w", w.classify("find", err))
	}
	return more, nil
}
