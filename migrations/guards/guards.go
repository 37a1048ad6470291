// Package guards holds the SQL by which both databases refuse wrong metadata
// where it is written, through whatever program. attune-gen writes it from the
// types of schema/metadata.
//
// The statements can be repeated: they are run after the migrations whenever
// their text has changed, and taken away before a migration is undone. In them
// {schema} stands for the quoted name of the installation's schema.
package guards

import _ "embed"

// The guards of each database, and the statements that take them away.
var (
	//go:embed postgres.sql
	Postgres string
	//go:embed postgres.drop.sql
	PostgresDrop string
	//go:embed sqlite.sql
	SQLite string
	//go:embed sqlite.drop.sql
	SQLiteDrop string
)
