package install_test

import (
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
)

// qualified is a table's name with its schema.
func qualified(db *testdb.DB, table string) any {
	if db.Schema == "" {
		return bun.Ident(table)
	}
	return bun.SafeQuery("?.?", bun.Ident(db.Schema), bun.Ident(table))
}
