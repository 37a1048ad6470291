package migrations

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// A Status is the state of a schema.
type Status struct {
	// Database is postgres or sqlite.
	Database string `json:"database"`
	Schema   string `json:"schema"`
	State    State  `json:"state"`
	// Findings lists what does not fit in a mixed or foreign state.
	Findings []string `json:"findings,omitempty"`
	// Program is this program's version.
	Program string `json:"program"`
	// Migrations lists the applied migrations and those that this program knows, oldest first.
	Migrations []MigrationStatus `json:"migrations"`
	// Guards is the state of the guards of metadata. It is empty before UnifyRuntimes is applied.
	Guards GuardState `json:"guards,omitempty"`
	// Guarding is the guards' reaction to wrong metadata. It is empty if Guards is.
	Guarding Guarding `json:"guarding,omitempty"`
	// Guest reports that somebody else unified the tables, so that attune keeps everything in
	// tables of its own.
	Guest bool `json:"guest,omitempty"`
	// Drift lists where the tables differ from what this program's models need, as the function
	// Drift does. Drift and Others are nil while a migration is pending.
	Drift []Difference `json:"drift,omitzero"`
	// Others lists the columns of attune's tables that this program does not know. They stay as
	// they are.
	Others []OtherColumn `json:"others,omitzero"`
	// Warnings lists what makes the tables less safe than they could be, each with a remedy:
	// PUBLIC may create in the schema, objects there belong to other roles, or a trigger of
	// others on worker depends on a search_path that sweeps do not have.
	Warnings []string `json:"warnings,omitempty"`
}

// AsExpected reports whether nothing is pending, the guards are in place, and the tables match
// this program. In a guest the guards do not count.
func (s *Status) AsExpected() bool {
	guarded := s.Guards.isSettled() || s.Guest
	return s.State == StateUnified && guarded && s.Drift != nil && len(s.Drift) == 0
}

// A MigrationState describes whether a migration is applied.
type MigrationState string

// The states of a migration.
const (
	Applied MigrationState = "applied"
	// Adopted means that the schema already had the migration's result.
	Adopted MigrationState = "adopted"
	Pending MigrationState = "pending"
)

// A MigrationStatus is the status of one migration in one schema.
type MigrationStatus struct {
	ID    string         `json:"id"`
	State MigrationState `json:"state"`
	// Applied is the time on the database's clock. It is nil while the migration is pending.
	Applied *time.Time `json:"applied,omitempty"`
	// AppliedBy is the version of the program that applied it.
	AppliedBy string `json:"applied_by,omitempty"`
	// Requires is the oldest program that runs on a database with it.
	Requires string `json:"requires"`
	// Known reports that this program knows the migration. Others come from newer programs.
	Known bool `json:"known"`
}

// Status returns which migrations are applied, and whether the guards and tables match this
// program. It writes nothing. A mixed or foreign state is part of the result and not an error.
// Errors are ErrAmbiguousSchema, ErrWrongSchema and those of the connection.
func (m *Migrator) Status(ctx context.Context) (*Status, error) {
	var st *Status
	err := m.read(ctx, func(ctx context.Context, tx bun.IDB) error {
		in, err := m.inspect(ctx, tx)
		if err != nil {
			return err
		}
		if err := in.checkElsewhere(); err != nil {
			return err
		}
		st = m.status(in)
		if in.isRecorded(UnifyRuntimes) {
			mode, err := m.guardMode(ctx, tx, in)
			if err != nil {
				return err
			}
			if st.Guards, err = m.guardState(ctx, tx, in, mode); err != nil {
				return err
			}
			st.Guarding = mode.Guarding
		}
		if len(m.pending(in)) == 0 {
			if st.Drift, st.Others, err = drift(ctx, tx, in.space); err != nil {
				return err
			}
			functions, err := m.functionDrift(ctx, tx, in)
			if err != nil {
				return err
			}
			beside, err := m.guestDrift(ctx, tx, in)
			if err != nil {
				return err
			}
			st.Drift = append(append(st.Drift, functions...), beside...)
		}
		st.Warnings, err = m.warnings(ctx, tx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return st, nil
}

func (m *Migrator) status(in *inspection) *Status {
	database, _ := folderOf(m.db.Dialect().Name())
	st := &Status{
		Database: database, Schema: in.name, State: in.state, Findings: in.findings, Guest: in.guest(),
		Program: program, Migrations: []MigrationStatus{},
	}
	for _, r := range in.records {
		ms := MigrationStatus{ID: r.ID, State: Applied, Applied: &r.Applied, AppliedBy: r.Program, Requires: r.Requires}
		if r.Adopted {
			ms.State = Adopted
		}
		_, ms.Known = m.step(r.ID)
		st.Migrations = append(st.Migrations, ms)
	}
	for _, s := range m.pending(in) {
		st.Migrations = append(st.Migrations, MigrationStatus{ID: s.id, State: Pending, Requires: s.requires, Known: true})
	}
	return st
}

// Check returns the schema for a service, or an error if this program cannot use the database
// as it is. A newer migration is accepted if its record allows programs of this version. Errors
// are ErrNotMigrated, ErrTooNew, ErrMixed, ErrNotOurs, ErrAmbiguousSchema, ErrWrongSchema and those of the
// connection.
func (m *Migrator) Check(ctx context.Context) (schema string, err error) {
	err = m.read(ctx, func(ctx context.Context, tx bun.IDB) error {
		in, err := m.inspect(ctx, tx)
		if err != nil {
			return err
		}
		schema = in.name
		if err := in.checkElsewhere(); err != nil {
			return err
		}
		if err := m.checkVersion(in); err != nil {
			return err
		}
		if err := in.refuse(); err != nil {
			return err
		}
		pending := m.pending(in)
		if len(pending) == 0 {
			return nil
		}
		missing := &PendingError{Schema: in.name, State: in.state}
		for _, s := range pending {
			missing.Pending = append(missing.Pending, s.id)
		}
		return missing
	})
	if err != nil {
		return schema, fmt.Errorf("check the database: %w", err)
	}
	return schema, nil
}

// FindSchema returns the only schema that holds attune's tables, else public, or main on SQLite.
// The error is ErrAmbiguousSchema if several schemas hold them.
func FindSchema(ctx context.Context, db bun.IDB) (string, error) {
	spaces, err := survey(ctx, db)
	if err != nil {
		return "", fmt.Errorf("find the schema: read the catalog: %w", explain(err))
	}
	s, err := choose(spaces, "")
	if err != nil {
		return "", fmt.Errorf("find the schema: %w", err)
	}
	return s.name, nil
}
