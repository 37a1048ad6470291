package database

import (
	"errors"
	"fmt"

	"github.com/attune-go/attune/schema/database/internal/backend"
)

// Explain adds a remedy to an error that Classify knows, and makes it wrap the result of
// Classify. It returns other errors unchanged, also those of Open, which name a remedy
// already.
func Explain(err error) error {
	for _, known := range []error{ErrURL, ErrUnreachable, ErrRefused, ErrLocked, ErrReadOnly, ErrCorrupt} {
		if errors.Is(err, known) {
			return err
		}
	}
	kind := Classify(err)
	if kind == nil {
		return err
	}
	return &explainedError{err: err, kind: kind}
}

type explainedError struct{ err, kind error }

func (e *explainedError) Unwrap() []error { return []error{e.err, e.kind} }

func (e *explainedError) Error() string { return fmt.Sprintf("%v; %s", e.err, e.remedy()) }

func (e *explainedError) remedy() string {
	if backend.SQLite != nil {
		if text, ok := backend.SQLite.Remedy(e.err, e.kind); ok {
			return text
		}
	}
	switch {
	case errors.Is(e.kind, ErrLocked):
		return "another session holds the lock; try again, or find the session in pg_stat_activity and pg_locks"
	case errors.Is(e.kind, ErrReadOnly):
		return "connect to the primary, and set default_transaction_read_only to off for the role and the database"
	case errors.Is(e.kind, ErrRefused):
		return "check user and database in the URL, and the role's privileges"
	}
	return "the server is away, starting, stopping or full; try again, and check that it runs"
}
