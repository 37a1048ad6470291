// Package guards holds the SQL by which both databases refuse wrong metadata
// where it is written, through whatever program. attune-gen writes it from the
// types of schema/metadata.
package guards

import (
	_ "embed"
	"regexp"
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
	// Mark tells this text from others: it is the comment of the function in
	// Postgres, and stands in the view in SQLite.
	Mark string
	// Triggers is how many there are.
	Triggers int
	// Names are those of the functions in Postgres, of the views and triggers in
	// SQLite. A schema may have guards of somebody else's documents besides.
	Names []string
}

// Postgres are the guards of Postgres.
func Postgres() Set { return set(postgres, postgresDrop) }

// SQLite are the guards of SQLite.
func SQLite() Set { return set(sqlite, sqliteDrop) }

var (
	mark    = regexp.MustCompile(`'(attune [0-9a-f]{16})'`)
	created = regexp.MustCompile(`(?m)^CREATE (?:OR REPLACE FUNCTION|VIEW|TRIGGER) \{schema\}\.(\w+)`)
)

func set(apply, drop string) Set {
	res := Set{Apply: apply, Drop: drop, Mark: mark.FindStringSubmatch(apply)[1], Triggers: strings.Count(apply, "\nCREATE TRIGGER ")}
	for _, m := range created.FindAllStringSubmatch(apply, -1) {
		res.Names = append(res.Names, m[1])
	}
	return res
}
