package cli

import (
	"errors"
	"strings"

	"github.com/attune-go/attune/migrations"
)

// advised returns the text of an error. It adds what to type against an error of a
// migration.
func advised(err error) string {
	text := err.Error()
	switch advice := advice(err); {
	case advice == "":
		return text
	case errors.Is(err, migrations.ErrLoss): // the text ends with a list
		return text + "\n" + advice
	default:
		return text + "; " + advice
	}
}

// advice returns what to type against an error of a migration or of a database that is not
// what it should be, or an empty text.
func advice(err error) string {
	var state *migrations.StateError
	var schema *migrations.SchemaError
	var use *migrations.UseError
	switch {
	case errors.As(err, &state):
		return adviceForState(state)
	case errors.As(err, &schema):
		return adviceForSchema(schema)
	case errors.As(err, &use) && use.Forcible:
		return ForcedDown(use.Migration, use.Named) + " drops them, and no migration brings them back: keep a backup"
	case use != nil && len(use.Packs) > 0:
		return Unloading(use.Packs)
	case errors.Is(err, migrations.ErrLoss):
		return ForcedDown("", false) + " gives it up"
	case errors.Is(err, migrations.ErrTooNew):
		return "that release undoes it with `attune migrate down`"
	case errors.Is(err, migrations.ErrNotMigrated):
		return "see what would happen with `attune migrate plan`, then run `attune migrate up`"
	case errors.Is(err, migrations.ErrLocked):
		return "or wait longer with --lock-timeout"
	case lacksObject(err):
		return "`attune migrate status` names what is missing"
	}
	return ""
}

// lacksObject reports whether Postgres did not find a column, table or function of a statement.
func lacksObject(err error) bool {
	var coded interface{ SQLState() string }
	if !errors.As(err, &coded) {
		return false
	}
	switch coded.SQLState() {
	case "42703", "42P01", "42883":
		return true
	}
	return false
}

func adviceForState(e *migrations.StateError) string {
	foreign := errors.Is(e, migrations.ErrNotOurs)
	switch {
	case e.Dropped:
		return "`attune migrate down --force` once for each migration moves out"
	case e.Lost:
		return "`attune migrate down --force` once for each migration, then `attune migrate up`; workers and sensors register again"
	case e.File && foreign:
		return "create one with `attune migrate up --database sqlite:PATH`"
	case e.File:
		return "or name another file with --database sqlite:PATH"
	case foreign:
		return "create one with `attune migrate up --schema attune`"
	}
	return "then run `attune migrate up` again"
}

func adviceForSchema(e *migrations.SchemaError) string {
	switch {
	case errors.Is(e, migrations.ErrAmbiguousSchema):
		return "name one with --schema"
	case errors.Is(e, migrations.ErrWrongSchema):
		return "name it with --schema"
	}
	return "use that one with --schema, or another database for the new ones"
}

// Unloading returns the commands that unload packs before attune moves out.
func Unloading(packs []string) string {
	return "`attune packs unload " + strings.Join(packs, "`, `attune packs unload ") + "`"
}

// ForcedDown returns the command that undoes a migration with the rows in its way. The
// migration is part of it if it must be named.
func ForcedDown(migration string, named bool) string {
	if named {
		return "`attune migrate down " + migration + " --force`"
	}
	return "`attune migrate down --force`"
}
