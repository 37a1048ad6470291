// Package guards holds the SQL with which both databases refuse wrong metadata and wrong requirements
// from every program. attune-gen generates it from the types of schema/metadata, and from those in
// the folder requirement.
package guards

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/attune-go/attune/migrations/internal/lazy"
)

var (
	//go:embed postgres.sql
	postgres string
	//go:embed postgres.drop.sql
	postgresDrop string
	//go:embed sqlite.sql
	sqlite string
	//go:embed sqlite.drop.sql
	sqliteDrop string

	//go:embed requirement/postgres.sql
	requirementPostgres string
	//go:embed requirement/postgres.drop.sql
	requirementPostgresDrop string
	//go:embed requirement/sqlite.sql
	requirementSQLite string
	//go:embed requirement/sqlite.drop.sql
	requirementSQLiteDrop string
)

// A Set holds the guards of one database. The statements can be repeated. {schema} stands for the
// quoted name of the schema. Callers must not change Kept, which all callers share.
type Set struct {
	// Apply creates or replaces the guards.
	Apply string
	// Drop drops them.
	Drop string
	// Kept maps names to what the database keeps of Apply. In Postgres it is the settings and the
	// body of a function, and the type, column, function and argument of table.trigger. In SQLite
	// it is the statement of a view or trigger.
	Kept map[string]string
}

// Names returns the names in Kept. A schema may also have guards of other documents.
func (s Set) Names() []string { return slices.Sorted(maps.Keys(s.Kept)) }

var (
	function = lazy.Regexp(`(?s)\nCREATE OR REPLACE FUNCTION \{schema\}\.(\w+)\(\).*? AS (\$\w+\$)(.*?)(\$\w+\$);\n`)
	trigger  = lazy.Regexp(`\nCREATE TRIGGER (\w+) BEFORE INSERT OR UPDATE OF "(\w+)" ON \{schema\}\."(\w+)"\s+FOR EACH ROW EXECUTE FUNCTION \{schema\}\.(\w+)\('(\w+)'\);`)
	object   = lazy.Regexp(`(?s)\nCREATE (VIEW|TRIGGER) \{schema\}\.(\w+)(.*?(?:\nEND| WHERE 0));\n`)
)

// rowInsertUpdate is pg_trigger.tgtype of a trigger BEFORE INSERT OR UPDATE FOR EACH ROW.
const rowInsertUpdate = "23"

// settings is pg_proc.proconfig of the functions.
const settings = "search_path=pg_catalog, pg_temp; standard_conforming_strings=on"

// They match the triggers on the table of requirements that only a guest has.
var (
	besidePostgres = lazy.Regexp(`\nDROP TRIGGER IF EXISTS \w+ ON \{schema\}\."attune_requirement";` +
		`\nCREATE TRIGGER \w+ BEFORE INSERT OR UPDATE OF "\w+" ON \{schema\}\."attune_requirement"[^;]+;\n`)
	besideSQLite = lazy.Regexp(`(?s)\nCREATE TRIGGER \{schema\}\.attune_guard_attune_requirement_\w+ BEFORE .*?\nEND;\n`)
)

// Postgres returns the guards of Postgres.
func Postgres() Set { return postgresSet() }

// PostgresGuest returns the guards of Postgres in a guest, which has a table for requirements of the
// platform's actions and sensors.
func PostgresGuest() Set { return postgresGuestSet() }

// SQLite returns the guards of SQLite.
func SQLite() Set { return sqliteWhole() }

// SQLiteMetadata returns the guards of SQLite without those of requirements, for a database whose
// actions and sensors lack the columns.
func SQLiteMetadata() Set { return sqliteMetadata() }

// Reading the statements takes longer than most commands, so that it is done once.
var (
	postgresSet = sync.OnceValue(func() Set {
		s := PostgresGuest()
		s.Apply, s.Kept = besidePostgres().ReplaceAllString(s.Apply, ""), maps.Clone(s.Kept)
		maps.DeleteFunc(s.Kept, func(name, _ string) bool { return strings.HasPrefix(name, "attune_requirement.") })
		return s
	})
	postgresGuestSet = sync.OnceValue(func() Set {
		s := Set{Apply: postgres + requirementPostgres, Drop: postgresDrop + requirementPostgresDrop, Kept: map[string]string{}}
		for _, m := range function().FindAllStringSubmatch(s.Apply, -1) {
			s.Kept[m[1]] = settings + "\n" + m[3]
		}
		for _, m := range trigger().FindAllStringSubmatch(s.Apply, -1) {
			s.Kept[m[3]+"."+m[1]] = strings.Join([]string{rowInsertUpdate, m[2], m[4], m[5]}, " ")
		}
		return s
	})
	sqliteWhole = sync.OnceValue(func() Set {
		return sqliteSet(sqlite+besideSQLite().ReplaceAllString(requirementSQLite, ""), sqliteDrop+requirementSQLiteDrop)
	})
	sqliteMetadata = sync.OnceValue(func() Set { return sqliteSet(sqlite, sqliteDrop) })
)

func sqliteSet(apply, drop string) Set {
	s := Set{Apply: apply, Drop: drop, Kept: map[string]string{}}
	for _, m := range object().FindAllStringSubmatch(s.Apply, -1) {
		s.Kept[m[2]] = "CREATE " + m[1] + " " + m[2] + m[3]
	}
	return s
}

// DropRequirements returns the statements that drop the guards of requirements.
func DropRequirements(inPostgres bool) string {
	if inPostgres {
		return requirementPostgresDrop
	}
	return requirementSQLiteDrop
}
