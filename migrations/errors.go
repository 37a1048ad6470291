package migrations

import (
	"errors"
	"fmt"
	"strings"

	"github.com/attune-go/attune/migrations/internal/unify"
	"github.com/attune-go/attune/schema"
)

var (
	// ErrNotMigrated means that this program needs migrations that are not applied.
	ErrNotMigrated = errors.New("the database is not migrated")
	// ErrTooNew means that a migration was applied that this program cannot use.
	ErrTooNew = errors.New("the database is too new for this program")
	// ErrMixed means that no migration can begin from the state of the schema.
	ErrMixed = errors.New("the schema is in a mixed state")
	// ErrNotOurs means that the schema holds other tables under attune's names.
	ErrNotOurs = errors.New("the schema holds other tables under attune's names")
	// ErrAmbiguousSchema means that several schemas hold attune's tables and none was named.
	ErrAmbiguousSchema = errors.New("several schemas hold attune's tables")
	// ErrSecondSchema means that a schema would be created beside another that holds attune's tables.
	ErrSecondSchema = errors.New("another schema already holds attune's tables")
	// ErrWrongSchema means that the named schema is empty and another holds attune's tables.
	ErrWrongSchema = errors.New("it does not hold attune's tables")
	// ErrLocked means that a lock was not granted within Config.LockTimeout.
	ErrLocked = errors.New("waited too long for a lock")
	// ErrUndone means that another process undoes migrations while this one applies them.
	ErrUndone = errors.New("another process undoes migrations")
	// ErrReadOnly means that the database does not accept writes.
	ErrReadOnly = errors.New("the database is read-only")
	// ErrTransaction means that the caller's transaction cannot take a migration.
	ErrTransaction = errors.New("the migration cannot run in this transaction")
	// ErrPrivilege means that the database role lacks a privilege.
	ErrPrivilege = errors.New("the database role lacks a privilege")
	// ErrNothingApplied means that there is no migration to undo.
	ErrNothingApplied = errors.New("no migration is applied")
	// ErrNotNewest means that Config.Undo names another migration than the newest.
	ErrNotNewest = errors.New("it is not the newest migration")
	// ErrInUse means that undoing would delete rows or break things of others.
	ErrInUse = errors.New("the migration cannot be undone")
	// ErrObstacles means that obstacles to unifying must be cleared by hand.
	ErrObstacles = unify.ErrObstacles
	// ErrLoss means that undoing the unification would give up data without a legacy form.
	ErrLoss = unify.ErrLoss
)

// A StateError lists what does not fit in a schema. It unwraps to ErrMixed or ErrNotOurs.
type StateError struct {
	Schema string
	// Findings holds one sentence for each thing that does not fit.
	Findings []string

	// File reports that the database is a file, without schemas to choose from.
	File bool
	// Lost reports that only objects of attune's in a guest are missing, which Down and Up create anew.
	Lost bool
	// Dropped reports that the platform has dropped or renamed columns that attune needs in a guest. Down works
	// without them.
	Dropped bool

	kind error
}

func (e *StateError) Unwrap() error { return e.kind }

func (e *StateError) Error() string {
	text := fmt.Sprintf("schema %q: %v: %s; nothing was changed; ", e.Schema, e.kind, strings.Join(e.Findings, "; "))
	switch {
	case e.Dropped:
		return text + "attune needs what the platform dropped or renamed: add it again, or move out"
	case e.Lost:
		return text + "restore what is missing from a backup, or create attune's tables anew"
	case e.File && errors.Is(e.kind, ErrNotOurs):
		return text + "attune needs a file of its own"
	case e.File:
		return text + "expected an empty file, or one that attune created; restore the missing parts from a backup"
	case errors.Is(e.kind, ErrNotOurs):
		return text + "attune needs a schema of its own"
	}
	return text + "expected an empty schema, a legacy one (runtime with runtime_type) or a unified one (runtime without it), " +
		"each with pack, action, sensor and worker; restore the missing parts from a backup, or drop the remains"
}

// A SchemaError names the schemas that hold attune's tables. It unwraps to ErrAmbiguousSchema,
// ErrSecondSchema or ErrWrongSchema.
type SchemaError struct {
	// Wanted is the named schema; empty if none was named.
	Wanted string
	// Found lists the schemas that hold attune's tables.
	Found []string

	kind error
}

func (e *SchemaError) Unwrap() error { return e.kind }

func (e *SchemaError) Error() string {
	found := strings.Join(e.Found, ", ")
	if errors.Is(e.kind, ErrAmbiguousSchema) {
		return fmt.Sprintf("%v: %s", e.kind, found)
	}
	if errors.Is(e.kind, ErrWrongSchema) {
		return fmt.Sprintf("schema %q: %v; they are in %s", e.Wanted, e.kind, found)
	}
	return fmt.Sprintf("create attune's tables in schema %q: %v: %s", e.Wanted, e.kind, found)
}

// A VersionError names the program that a database needs. It unwraps to ErrTooNew.
type VersionError struct {
	Schema string
	// Migration is the ID of the step that this program is too old for.
	Migration string
	// Requires is the oldest program that can work with that step.
	Requires string
	// AppliedBy is the program that applied it.
	AppliedBy string
	// Program is this program's version.
	Program string
}

func (e *VersionError) Unwrap() error { return ErrTooNew }

func (e *VersionError) Error() string {
	return fmt.Sprintf("schema %q: %v: migration %s, applied by attune %s, requires attune %s or later and this is %s; "+
		"install attune %s, or undo that migration with attune %s",
		e.Schema, ErrTooNew, e.Migration, e.AppliedBy, e.Requires, e.Program, e.Requires, e.AppliedBy)
}

// IsPermanent reports whether an error of Check says that the database must be migrated, or that the
// program or its settings must change, so that waiting cannot help.
func IsPermanent(err error) bool {
	for _, sentinel := range []error{ErrNotMigrated, ErrTooNew, ErrMixed, ErrNotOurs, ErrAmbiguousSchema, ErrWrongSchema} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

// A PendingError lists the missing migrations. It unwraps to ErrNotMigrated, and to
// schema.ErrNoTables if the schema is empty.
type PendingError struct {
	Schema  string
	State   State
	Pending []string
}

func (e *PendingError) Unwrap() []error {
	if e.State == StateEmpty {
		return []error{ErrNotMigrated, schema.ErrNoTables}
	}
	return []error{ErrNotMigrated}
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("schema %q (%s): %v: pending: %s", e.Schema, e.State, ErrNotMigrated, strings.Join(e.Pending, ", "))
}

// A UseError lists what prevents undoing a migration. It unwraps to ErrInUse.
type UseError struct {
	Schema    string
	Migration string
	// Blockers is one sentence for each thing in the way.
	Blockers []string
	// Forcible reports that Config.Force overrides the blockers.
	Forcible bool
	// Named reports that Config.Undo is required too.
	Named bool
	// Packs lists the packs that must be unloaded first, in a guest.
	Packs []string

	// tables lists what would be dropped, with all rows.
	tables []DroppedTable
}

func (e *UseError) Unwrap() error { return ErrInUse }

func (e *UseError) Error() string {
	text := fmt.Sprintf("undo %s in schema %q: %v: %s; nothing was changed",
		e.Migration, e.Schema, ErrInUse, strings.Join(e.Blockers, "; "))
	if !e.Forcible {
		text += "; remove these first"
	}
	return text
}

// sqlState returns Postgres's code of an error, or "".
func sqlState(err error) string {
	var coded interface{ SQLState() string } // pgx and lib/pq
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	var fields interface{ Field(byte) string } // bun's pgdriver
	if errors.As(err, &fields) {
		return fields.Field('C')
	}
	return ""
}

// The codes of Postgres and SQLite that have an error of this package.
const (
	codeReadOnly     = "25006"
	codePrivilege    = "42501"
	codeLockTimeout  = "55P03"
	codeNoTable      = "42P01"
	sqliteReadOnly   = 8
	sqliteBusy       = 5
	sqliteLockedCode = 6
)

// explain wraps an error of the database that a user can remedy, and adds the remedy.
func explain(err error) error {
	switch sqlState(err) {
	case codeReadOnly:
		return fmt.Errorf("%w: %w; migrate on the primary, with a role and database whose default_transaction_read_only is off", ErrReadOnly, err)
	case codePrivilege:
		return fmt.Errorf("%w: %w; run the migration as the owner of the schema and of its tables", ErrPrivilege, err)
	}
	// SQLite's errors have a result code, whose low byte is the primary one. This works without
	// importing the driver.
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		switch coded.Code() & 0xff {
		case sqliteReadOnly:
			return fmt.Errorf("%w: %w; check the permissions of the file and of its folder", ErrReadOnly, err)
		case sqliteBusy, sqliteLockedCode:
			return fmt.Errorf("%w: another process is writing to this file: %w; try again", ErrLocked, err)
		}
	}
	return err
}
