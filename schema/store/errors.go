package store

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

var (
	// ErrNotFound says that there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrDuplicate says that another row has the ref, version or identity.
	ErrDuplicate = errors.New("duplicate")
	// ErrReferenced says that rows of other tables still refer to the row; the
	// error names the tables.
	ErrReferenced = errors.New("still referenced")
	// ErrInvalid says that a value was refused: wrong metadata, which errors.As
	// finds as metadata.Faults, or a constraint of the database.
	ErrInvalid = errors.New("invalid")
	// ErrLive says that another instance runs under the identity; errors.As
	// finds it as a *LiveError.
	ErrLive = errors.New("already running")
	// ErrSuperseded says that the row of a worker is not the instance's any
	// more.
	ErrSuperseded = errors.New("superseded")
)

// ReferencedError says which rows a deletion was refused for. It unwraps to
// ErrReferenced.
type ReferencedError struct{ References []Reference }

func (e *ReferencedError) Error() string {
	var list []string
	for i := range e.References {
		list = append(list, e.References[i].String())
	}
	return ErrReferenced.Error() + " by " + strings.Join(list, ", ")
}

func (e *ReferencedError) Unwrap() error { return ErrReferenced }

// hindered returns the error for references that hinder a deletion, nil where none
// does.
func hindered(refs []Reference) error {
	refs = slices.DeleteFunc(slices.Clone(refs), func(r Reference) bool { return !r.Hinders() })
	if len(refs) == 0 {
		return nil
	}
	return &ReferencedError{refs}
}

// classify adds the sentinel that an error of the database amounts to. The
// drivers' errors are known by their methods, so that the store imports neither.
func (d dialect) classify(op string, err error) error {
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrDuplicate) ||
		errors.Is(err, ErrReferenced) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrLive) || errors.Is(err, ErrSuperseded) {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	sentinel := sqliteSentinel
	if d.postgres {
		sentinel = postgresSentinel
	}
	s := sentinel(err)
	if s == nil {
		return err
	}
	if errors.Is(s, ErrReferenced) && op != "delete" {
		s = ErrInvalid // the same code the other way round: a row that refers to nothing
	}
	return fmt.Errorf("%w: %w", s, err)
}

// postgresSentinel reads the SQLSTATE, as listed in appendix A of the Postgres
// manual.
func postgresSentinel(err error) error {
	switch state := postgresCode(err); {
	case state == "23505", state == "23P01": // unique, exclusion
		return ErrDuplicate
	case state == "23503", state == "23001": // foreign key, restrict
		return ErrReferenced
	case strings.HasPrefix(state, "23"), // not null, check …
		strings.HasPrefix(state, "22"), // a value that its type does not have
		strings.HasPrefix(state, "44"), // a view's check option
		state == "P0001":               // RAISE in a trigger
		return ErrInvalid
	}
	return nil
}

// postgresCode is the SQLSTATE of an error; empty: it is not of Postgres.
func postgresCode(err error) string {
	var e interface{ SQLState() string }
	if !errors.As(err, &e) {
		return ""
	}
	return e.SQLState()
}

// sqliteCode is the extended result code of an error; 0: it is not of SQLite.
func sqliteCode(err error) int {
	var e interface{ Code() int }
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code()
}

// Result codes of SQLite, as listed at sqlite.org/rescode.html.
const (
	sqliteConstraint           = 19
	sqliteMismatch             = 20
	sqliteTooBig               = 18
	sqliteConstraintForeignKey = 787
	sqliteConstraintPrimaryKey = 1555
	sqliteConstraintUnique     = 2067
	sqliteConstraintRowID      = 2579
)

// sqliteSentinel reads the extended result code.
func sqliteSentinel(err error) error {
	switch code := sqliteCode(err); code {
	case sqliteConstraintUnique, sqliteConstraintPrimaryKey, sqliteConstraintRowID:
		return ErrDuplicate
	case sqliteConstraintForeignKey:
		return ErrReferenced
	default:
		switch code & 0xff {
		case sqliteConstraint, sqliteMismatch, sqliteTooBig:
			return ErrInvalid
		}
	}
	return nil
}
