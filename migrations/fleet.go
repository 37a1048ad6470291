package migrations

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// markTable is the table that Fleet creates on Postgres, but not in a guest.
const markTable = "definition_mark"

// fleetNames lists the table and its index.
var fleetNames = []string{markTable, markTable + "_pkey"}

// classifyFleet finds a missing table of Fleet and names that belong to others.
func (in *inspection) classifyFleet() {
	if !in.file {
		in.classifyNames(Fleet, fleetNames[:1], fleetNames[1:])
	}
}

// shareMark makes the owner of runtime the owner of the mark of definitions and of the function that counts in it.
// Roles that may read runtime may read the mark.
func (m *Migrator) shareMark(ctx context.Context, tx bun.IDB, in *inspection, mark string) error {
	var statements []string
	err := tx.NewRaw(`
WITH runtime AS (
    SELECT c.relowner, c.relacl, pg_catalog.format('%I.%I', n.nspname, CAST(?1 AS pg_catalog.text)) AS mark,
           pg_catalog.format('%I.%I()', n.nspname, CAST(?1 AS pg_catalog.text) || '_count') AS function
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ?0
)
SELECT pg_catalog.format('GRANT SELECT ON %s TO %s', r.mark, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::pg_catalog.regrole::pg_catalog.text END)
FROM runtime r, pg_catalog.aclexplode(r.relacl) x WHERE x.grantee <> r.relowner AND x.privilege_type = 'SELECT'
UNION ALL
SELECT pg_catalog.format('ALTER %s OWNER TO %I', o.object, pg_catalog.pg_get_userbyid(r.relowner))
FROM runtime r, LATERAL (VALUES ('TABLE ' || r.mark), ('FUNCTION ' || r.function)) o (object)
WHERE pg_catalog.pg_get_userbyid(r.relowner) <> current_user`, in.relations["runtime"].oid, mark).Scan(ctx, &statements)
	if err != nil {
		return fmt.Errorf("read owner and privileges of runtime: %w", err)
	}
	return execAll(ctx, tx, statements)
}
