package migrations

import (
	"context"
	"errors"
	"strings"

	"github.com/uptrace/bun"
)

type unifyReport struct{}

// unify does the Postgres work of UnifyRuntimes.
func (m *Migrator) unify(ctx context.Context, tx bun.IDB, in *inspection) (adopted bool, report *unifyReport, err error) {
	if in.state == StateUnified {
		return true, nil, errors.New("not wired yet")
	}
	var n int
	if err := tx.NewRaw("SELECT count(*) FROM ?", bun.Safe(table(in.name, "runtime"))).Scan(ctx, &n); err != nil {
		return false, nil, err
	}
	if n > 0 {
		return false, nil, errors.New("not wired yet")
	}
	_, err = tx.ExecContext(ctx, strings.ReplaceAll(`
ALTER TABLE {schema}.runtime DROP CONSTRAINT runtime_ref_format, DROP COLUMN runtime_type,
 ALTER COLUMN distributions SET DEFAULT '{}',
 ADD COLUMN aliases jsonb NOT NULL DEFAULT '[]', ADD COLUMN execution_config jsonb NOT NULL DEFAULT '{}', ADD COLUMN digest text,
 ADD CONSTRAINT runtime_ref_format CHECK (ref ~ '^[^.]+[.][^.]+$' OR ref = 'core.sensor.builtin');
DROP TYPE {schema}.runtime_type_enum;
CREATE TABLE {schema}.runtime_version (
 id bigserial PRIMARY KEY, runtime bigint NOT NULL REFERENCES {schema}.runtime (id) ON DELETE CASCADE,
 version text NOT NULL, sort_key text COLLATE "C" NOT NULL, is_default boolean NOT NULL DEFAULT false,
 distributions jsonb NOT NULL DEFAULT '{}', execution_config jsonb NOT NULL DEFAULT '{}', meta jsonb NOT NULL DEFAULT '{}',
 created timestamptz NOT NULL DEFAULT now(), updated timestamptz NOT NULL DEFAULT now(),
 CONSTRAINT runtime_version_runtime_version_key UNIQUE (runtime, version));
ALTER TABLE {schema}.action ADD COLUMN runtime_version_constraint text;
ALTER TABLE {schema}.sensor ADD COLUMN runtime_version_constraint text;
ALTER TABLE {schema}.worker ADD COLUMN identity text CONSTRAINT worker_identity_key UNIQUE, ADD COLUMN instance text, ADD COLUMN heartbeat_interval integer;
`, "{schema}", quote(in.name)))
	return false, nil, err
}

type (
	unifyPlan     struct{}
	unifyDownPlan struct{}
)

func (m *Migrator) separate(ctx context.Context, tx bun.IDB, in *inspection, res *Result) error {
	return errors.New("not wired yet")
}

func (m *Migrator) examine(ctx context.Context, tx bun.IDB, in *inspection) (*unifyPlan, error) {
	return &unifyPlan{}, nil
}

func (m *Migrator) examineDown(ctx context.Context, tx bun.IDB, in *inspection) (*unifyDownPlan, error) {
	return &unifyDownPlan{}, nil
}
