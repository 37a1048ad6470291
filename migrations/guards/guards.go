// Package guards holds the SQL by which both databases refuse wrong metadata
// where it is written, through whatever program. attune-gen writes it from the
// types of schema/metadata.
package guards

import (
	_ "embed"
	"maps"
	"regexp"
	"slices"
	"strings"
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
)

// Set are the guards of one database. The statements can be repeated. In them
// {schema} stands for the quoted name of the installation's schema.
type Set struct {
	// Apply puts the guards in the place of those that are there.
	Apply string
	// Drop takes them away.
	Drop string
	// Kept is what the database keeps of Apply, by name. In Postgres, of a function
	// its settings and its body, and of table.trigger its type, column, function and
	// argument; in SQLite, of a view or a trigger its statement.
	Kept map[string]string
}

// Names are those of Kept. A schema may have guards of somebody else's documents
// besides.
func (s Set) Names() []string { return slices.Sorted(maps.Keys(s.Kept)) }

var (
	function = regexp.MustCompile(`(?s)\nCREATE OR REPLACE FUNCTION \{schema\}\.(\w+)\(\).*? AS (\$\w+\$)(.*?)(\$\w+\$);\n`)
	trigger  = regexp.MustCompile(`\nCREATE TRIGGER (\w+) BEFORE INSERT OR UPDATE OF "(\w+)" ON \{schema\}\."(\w+)"\s+FOR EACH ROW EXECUTE FUNCTION \{schema\}\.(\w+)\('(\w+)'\);`)
	object   = regexp.MustCompile(`(?s)\nCREATE (VIEW|TRIGGER) \{schema\}\.(\w+)(.*?(?:\nEND| WHERE 0));\n`)
)

// rowInsertUpdate is pg_trigger.tgtype of a trigger BEFORE INSERT OR UPDATE FOR EACH
// ROW.
const rowInsertUpdate = "23"

// settings are pg_proc.proconfig of the functions.
const settings = "search_path=pg_catalog, pg_temp; standard_conforming_strings=on"

// Postgres are the guards of Postgres.
func Postgres() Set {
	s := Set{Apply: postgres, Drop: postgresDrop, Kept: map[string]string{}}
	for _, m := range function.FindAllStringSubmatch(postgres, -1) {
		s.Kept[m[1]] = settings + "\n" + m[3]
	}
	for _, m := range trigger.FindAllStringSubmatch(postgres, -1) {
		s.Kept[m[3]+"."+m[1]] = strings.Join([]string{rowInsertUpdate, m[2], m[4], m[5]}, " ")
	}
	return s
}

// SQLite are the guards of SQLite.
func SQLite() Set {
	s := Set{Apply: sqlite, Drop: sqliteDrop, Kept: map[string]string{}}
	for _, m := range object.FindAllStringSubmatch(sqlite, -1) {
		s.Kept[m[2]] = "CREATE " + m[1] + " " + m[2] + m[3]
	}
	return s
}
