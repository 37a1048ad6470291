package store

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema"
)

var (
	// ErrNotFound means that the row does not exist.
	ErrNotFound = errors.New("not found")
	// ErrDuplicate means that another row has the ref, version or identity.
	ErrDuplicate = errors.New("duplicate")
	// ErrReferenced means that rows of other tables refer to the row. The error names the
	// tables.
	ErrReferenced = errors.New("still referenced")
	// ErrInvalid means that a value was refused: faulty metadata, which errors.As finds as
	// metadata.Faults, or a violated constraint of the database.
	ErrInvalid = errors.New("invalid")
	// ErrLive means that another instance runs under the identity. errors.As finds it as a
	// *LiveError.
	ErrLive = errors.New("already running")
	// ErrSuperseded means that the worker's row no longer belongs to the instance.
	ErrSuperseded = errors.New("superseded")
	// ErrTaken means that another row has the name, in a guest. errors.As finds it as a
	// *TakenError.
	ErrTaken = errors.New("the name is taken")
	// ErrForeign means that the row is the platform's, in whose database attune is a guest.
	// The store does not write it.
	ErrForeign = errors.New("the row is the platform's")
	// ErrHidden means that the platform refuses to a login to update a row of attune's worker, by row-level
	// security or a trigger. Nothing was written.
	ErrHidden = errors.New("the platform lets this login update no such row; " +
		"give it a policy FOR SELECT and one FOR UPDATE of its rows of worker, or BYPASSRLS, unless a trigger skips the update")
	// ErrNoTables means that attune's tables are not in the schema.
	ErrNoTables = schema.ErrNoTables
)

// A ReferencedError holds the references for which a deletion was refused. It unwraps to
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

// hindrance returns the error for the references that hinder a deletion, or nil.
func hindrance(refs []Reference) error {
	refs = slices.DeleteFunc(slices.Clone(refs), func(r Reference) bool { return !r.Hinders() })
	if len(refs) == 0 {
		return nil
	}
	return &ReferencedError{refs}
}

// classify wraps an error of the database in the matching sentinel. It recognizes the
// drivers' errors by their methods, so that the store imports no driver.
func (d dialect) classify(op string, err error) error {
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrDuplicate) ||
		errors.Is(err, ErrReferenced) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrLive) || errors.Is(err, ErrSuperseded) ||
		errors.Is(err, ErrTaken) || errors.Is(err, ErrForeign) {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if d.lacksTables(err) {
		return d.noTables(err)
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

// lacksTables reports whether a statement failed because a table or its schema does not exist.
func (d dialect) lacksTables(err error) bool {
	if d.postgres {
		state := postgresCode(err)
		return state == "42P01" || state == "3F000" // undefined_table, invalid_schema_name
	}
	return sqliteCode(err) == sqliteError && strings.Contains(err.Error(), "no such table")
}

func (d dialect) noTables(err error) error {
	if d.postgres {
		return fmt.Errorf("%w in schema %q: migrate the database, or set Config.Schema to the schema that has them: %w",
			ErrNoTables, d.schema, err)
	}
	return fmt.Errorf("%w: migrate the database: %w", ErrNoTables, err)
}

// postgresSentinel returns the sentinel for a SQLSTATE, as listed in appendix A of the
// Postgres manual, or nil.
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

// postgresCode returns the SQLSTATE of an error, or "" if it is not from Postgres.
func postgresCode(err error) string {
	var e interface{ SQLState() string }
	if !errors.As(err, &e) {
		return ""
	}
	return e.SQLState()
}

// sqliteCode returns the extended result code of an error, or 0 if it is not from SQLite.
func sqliteCode(err error) int {
	var e interface{ Code() int }
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code()
}

// Result codes of SQLite, as listed at sqlite.org/rescode.html.
const (
	sqliteError                = 1
	sqliteConstraint           = 19
	sqliteMismatch             = 20
	sqliteTooBig               = 18
	sqliteConstraintForeignKey = 787
	sqliteConstraintPrimaryKey = 1555
	sqliteConstraintUnique     = 2067
	sqliteConstraintRowID      = 2579
)

// sqliteSentinel returns the sentinel for an extended result code, or nil.
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
