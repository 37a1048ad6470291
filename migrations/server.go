package migrations

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// serverTables are the tables that Server creates, with the same names in a guest.
var serverTables = []string{"attune_token", "attune_session", "attune_audit"}

// classifyServer finds tables of Server that are missing and names that belong to others.
func (in *inspection) classifyServer() {
	if in.file {
		in.classifyNames(Server, serverTables, nil)
		return
	}
	in.classifyNames(Server, serverTables, ownIndexes()[Server])
}

// ownServer makes the owner of worker the owner of the tables of Server. Nobody else may use them:
// neither tokens nor the audit are for those that read workers.
func (m *Migrator) ownServer(ctx context.Context, tx bun.IDB, in *inspection) error {
	var statements []string
	err := tx.NewRaw(`
SELECT pg_catalog.format('ALTER TABLE %I.%I OWNER TO %I', n.nspname, c.relname, pg_catalog.pg_get_userbyid(w.relowner))
FROM pg_catalog.pg_class w JOIN pg_catalog.pg_namespace n ON n.oid = w.relnamespace
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN (?1)
WHERE w.oid = ?0 AND pg_catalog.pg_get_userbyid(w.relowner) <> current_user`,
		in.relations["worker"].oid, bun.List(serverTables)).Scan(ctx, &statements)
	if err != nil {
		return fmt.Errorf("read the owner of worker: %w", err)
	}
	return execAll(ctx, tx, statements)
}
