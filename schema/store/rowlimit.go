package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// A RowLimit describes row-level security that hides rows from a login.
type RowLimit struct {
	// User is the current role.
	User string `json:"user"`
	// Own reports whether it is the policy of docs/roles.sql, which shows a host only the
	// worker and the sensor with its name.
	Own bool `json:"own"`
}

// RowLimit returns the row-level security that hides workers, their runtimes or changes
// from this login. It returns nil if the login sees all rows, and always on SQLite.
//
// A policy USING (true) hides nothing. No policy applies to the owner, a superuser or a
// role with BYPASSRLS.
func (w *Workers) RowLimit(ctx context.Context) (*RowLimit, error) {
	if !w.postgres {
		return nil, nil
	}
	var limits []RowLimit
	err := w.db.NewRaw(`SELECT current_user AS user, EXISTS (SELECT 1 FROM pg_catalog.pg_policy p
				WHERE p.polrelid = t.oid AND p.polname = 'attune_own' AND NOT p.polpermissive AND ?0) AS own
			FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
			WHERE n.nspname = ?1 AND t.relname IN (?3) AND ?2
			ORDER BY own DESC LIMIT 1`,
		policyApplies, w.schema, limitCondition("t"),
		bun.List([]string{"worker", w.layout.Relation("worker_runtime"), w.layout.Relation("capability_change")})).Scan(ctx, &limits)
	if err != nil {
		return nil, fmt.Errorf("read row-level security: %w", err)
	}
	if len(limits) == 0 {
		return nil, nil
	}
	return &limits[0], nil
}

// An OwnRowsError reports that a login of docs/roles.sql may write the rows of the worker and
// the sensor with its own name only.
type OwnRowsError struct {
	// User is the login.
	User string
	// Err is the database's error.
	Err error
}

func (e *OwnRowsError) Error() string {
	return fmt.Sprintf("%v; the login %q may write only the rows of its own name", e.Err, e.User)
}

func (e *OwnRowsError) Unwrap() error { return e.Err }

// explainRefusal returns an *OwnRowsError for err if row-level security keeps this login from
// the rows of name. The database's error has the policy in its text only, so the catalog is
// asked. In a transaction of the caller's, which is aborted, err stays.
func (w *Workers) explainRefusal(ctx context.Context, name string, err error) error {
	if postgresCode(err) != "42501" { // insufficient privilege
		return err
	}
	limit, limitErr := w.RowLimit(ctx)
	if limitErr != nil || limit == nil || !limit.Own || limit.User == name {
		return err
	}
	return &OwnRowsError{limit.User, err}
}

// policyApplies is the condition that a policy p applies to what the current role reads.
const policyApplies bun.Safe = `p.polcmd IN ('r', '*') AND EXISTS (SELECT 1 FROM pg_catalog.unnest(p.polroles) AS r (oid)
	WHERE r.oid = '0' OR pg_catalog.pg_has_role(current_user, r.oid, 'USAGE'))`

// limitCondition returns the condition that row-level security may hide rows of a table from
// the current role. alias names the table's row in pg_class.
func limitCondition(alias string) bun.Safe {
	const showsAll = "pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'"
	policy := "SELECT 1 FROM pg_catalog.pg_policy p WHERE p.polrelid = " + alias + ".oid AND " + string(policyApplies)
	return bun.Safe("(pg_catalog.row_security_active(" + alias + ".oid)" +
		" AND (EXISTS (" + policy + " AND NOT p.polpermissive AND NOT (" + showsAll + "))" +
		" OR NOT EXISTS (" + policy + " AND p.polpermissive AND " + showsAll + ")))")
}
