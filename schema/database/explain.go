package database

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Explain says after an error what to try, where the error is about the database
// as a whole, and has it wrap what Classify calls it. Any other error, such as
// one of Open, which says so already, is given back as it is.
func Explain(err error) error {
	for _, said := range []error{ErrURL, ErrUnreachable, ErrRefused, ErrLocked, ErrReadOnly, ErrCorrupt} {
		if errors.Is(err, said) {
			return err
		}
	}
	kind := Classify(err)
	if kind == nil {
		return err
	}
	return &explained{err: err, kind: kind}
}

type explained struct{ err, kind error }

func (e *explained) Unwrap() []error { return []error{e.err, e.kind} }

func (e *explained) Error() string { return fmt.Sprintf("%v; %s", e.err, e.remedy()) }

func (e *explained) remedy() string {
	var lite *sqlite.Error
	if errors.As(e.err, &lite) {
		return fileRemedy(lite, e.kind, "FILE", "its folder")
	}
	switch {
	case errors.Is(e.kind, ErrLocked):
		return "somebody else holds it locked; try again, or see who in pg_stat_activity and pg_locks"
	case errors.Is(e.kind, ErrReadOnly):
		return "connect to the primary, as a role and to a database whose default_transaction_read_only is off"
	case errors.Is(e.kind, ErrRefused):
		return "check user and database in the URL, and what the role was granted"
	}
	return "the server went away, or is starting, stopping or full; try again, and check that it runs"
}

// fileRemedy is what to try where a statement says of its file what kind is.
func fileRemedy(lite *sqlite.Error, kind error, file, folder string) string {
	switch {
	case errors.Is(kind, ErrLocked):
		return "another process holds it; wait for it to end, or find it with: fuser " + file
	case lite.Code()&0xff == sqlite3.SQLITE_NOTADB:
		return "it is not a SQLite database (or it is encrypted); name another file"
	case errors.Is(kind, ErrCorrupt):
		return fmt.Sprintf("it is damaged; restore a copy, or save what can be read with: sqlite3 %s .recover", file)
	case lite.Code() == sqlite3.SQLITE_READONLY:
		return "this user may not write it; give write access to the file, or use a copy elsewhere"
	}
	return fmt.Sprintf("its journal needs write access to the folder %s; give it, or use a copy elsewhere", folder)
}
