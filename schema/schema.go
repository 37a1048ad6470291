// Package schema holds the Bun models of attune's tables and their enums. It
// has no queries: those are in schema/store, and the SQL that creates the
// tables is in migrations.
//
// The models carry no schema name. Queries qualify the table, as schema/store does with
// store.Config.Schema.
package schema

import "errors"

// ErrNoTables means that attune's tables are not in the schema. The store and migrations return it.
var ErrNoTables = errors.New("attune's tables are missing")
