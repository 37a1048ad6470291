package migrations

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// Status is where an installation stands.
type Status struct {
	// Database is postgres or sqlite.
	Database string `json:"database"`
	Schema   string `json:"schema"`
	State    State  `json:"state"`
	// Findings says what does not fit, in a mixed or foreign state.
	Findings []string `json:"findings,omitempty"`
	// Program is this program's version.
	Program string `json:"program"`
	// Migrations are those that are applied and those that this program knows,
	// oldest first.
	Migrations []MigrationStatus `json:"migrations"`
	// Guards is whether wrong metadata is refused where it is written; empty
	// before UnifyRuntimes is applied.
	Guards GuardState `json:"guards,omitempty"`
	// Guarding is what the guards do with wrong metadata; empty where Guards is.
	Guarding Guarding `json:"guarding,omitempty"`
	// Guest reports that the tables were unified by somebody else, so that attune keeps
	// everything in tables of its own.
	Guest bool `json:"guest,omitempty"`
	// Drift is where the tables are not what this program's models count on, see
	// the function Drift. It is nil, and so is Others, while a migration is
	// pending: nothing was compared.
	Drift []Difference `json:"drift,omitzero"`
	// Others are the columns of attune's tables that this program does not know.
	// They are left alone, and no fault.
	Others []OtherColumn `json:"others,omitzero"`
	// Warnings are what makes the tables less safe than they could be, with what to do
	// about it: PUBLIC may create in the schema, objects there belong to other roles, a
	// trigger of others on worker depends on a search_path that sweeps do not have.
	Warnings []string `json:"warnings,omitempty"`
}

// AsExpected is whether nothing is pending, the guards are in place, and the
// tables are what this program counts on.
func (s *Status) AsExpected() bool {
	guarded := s.Guards.settled() || s.Guest
	return s.State == StateUnified && guarded && s.Drift != nil && len(s.Drift) == 0
}

// MigrationState is whether a migration is applied.
type MigrationState string

// The states of a migration.
const (
	Applied MigrationState = "applied"
	// Adopted: the installation was found with it.
	Adopted MigrationState = "adopted"
	Pending MigrationState = "pending"
)

// MigrationStatus is one migration in one installation.
type MigrationStatus struct {
	ID    string         `json:"id"`
	State MigrationState `json:"state"`
	// Applied is the database's time, nil while pending.
	Applied *time.Time `json:"applied,omitempty"`
	// AppliedBy is the version of the program that did it.
	AppliedBy string `json:"applied_by,omitempty"`
	// Requires is the oldest program that runs on a database with it.
	Requires string `json:"requires"`
	// Known is whether this program knows the migration; a newer one made it
	// where not.
	Known bool `json:"known"`
}

// Status says what is applied and what is not, and whether the guards and tables
// are what this program counts on. It writes nothing, and a mixed or foreign
// state is no error but part of the answer. Errors are ErrSeveral,
// ErrElsewhere and those of the connection.
func (m *Migrator) Status(ctx context.Context) (*Status, error) {
	var st *Status
	err := m.read(ctx, func(ctx context.Context, tx bun.IDB) error {
		in, err := m.inspect(ctx, tx)
		if err != nil {
			return err
		}
		if err := in.elsewhere(); err != nil {
			return err
		}
		st = m.status(in)
		if in.recorded(UnifyRuntimes) {
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
			st.Drift = append(st.Drift, functions...)
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

// Check is what a service asks before it works: whether this program can use
// the database as it is, and in which schema. It refuses only what the program
// cannot read: a newer migration is none of its business as long as its record
// says that a program of this version runs on it. Errors are ErrNotMigrated,
// ErrTooNew, ErrMixed, ErrNotOurs, ErrSeveral, ErrElsewhere and those of the
// connection.
func (m *Migrator) Check(ctx context.Context) (schema string, err error) {
	err = m.read(ctx, func(ctx context.Context, tx bun.IDB) error {
		in, err := m.inspect(ctx, tx)
		if err != nil {
			return err
		}
		schema = in.name
		if err := in.elsewhere(); err != nil {
			return err
		}
		if err := m.tooNew(in); err != nil {
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

// FindSchema gives the schema of the installation where none was named: the
// only one that holds attune's tables, else public (main on SQLite). The error
// is ErrSeveral where it is not the only one.
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
