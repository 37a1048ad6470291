package migrations

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/guards"
	"github.com/attune-go/attune/migrations/internal/lazy"
)

// A Guarding is the guards' reaction to wrong metadata.
type Guarding string

// The reactions. SQLite supports only GuardingRefuse.
const (
	// GuardingRefuse refuses the statement. It is the default except in a guest.
	GuardingRefuse Guarding = "refuse"
	// GuardingWarn accepts the statement and raises a warning. It is the default in a guest.
	GuardingWarn Guarding = "warn"
	// GuardingOff drops the guards.
	GuardingOff Guarding = "off"
)

// A guardMode is the guarding that Up establishes. changed reports that the database stores
// another one.
type guardMode struct {
	Guarding
	changed bool
}

// checkGuarding refuses a guarding that the database does not support.
func checkGuarding(folder string, g Guarding) error {
	switch g {
	case "", GuardingRefuse:
		return nil
	case GuardingWarn, GuardingOff:
		if folder == "postgres" {
			return nil
		}
		return fmt.Errorf("guards must be %s for SQLite, got %q", GuardingRefuse, g)
	}
	return fmt.Errorf("guards must be %s, %s or %s, got %q", GuardingRefuse, GuardingWarn, GuardingOff, g)
}

// guardComment begins the comment on attune_migrations that stores the guarding.
const guardComment = "attune guards: "

// guardMode returns the configured guarding, else the stored one, else the default.
func (m *Migrator) guardMode(ctx context.Context, db bun.IDB, in *inspection) (guardMode, error) {
	mode := guardMode{Guarding: GuardingRefuse}
	if in.guest() {
		mode.Guarding = GuardingWarn
	}
	if r := in.relations[recordTable]; r != nil && m.postgres() {
		var comment string
		err := db.NewRaw("SELECT coalesce(pg_catalog.obj_description(?, 'pg_class'), '')", r.oid).Scan(ctx, &comment)
		if err != nil {
			return mode, fmt.Errorf("read the stored guarding: %w", explain(err))
		}
		kept := Guarding(strings.TrimPrefix(comment, guardComment))
		if strings.HasPrefix(comment, guardComment) && checkGuarding("postgres", kept) == nil {
			mode.Guarding = kept
		}
	}
	if want := m.cfg.Guards; want != "" && want != mode.Guarding {
		mode = guardMode{Guarding: want, changed: true}
	}
	return mode, nil
}

// keepGuardMode stores a configured guarding.
func (m *Migrator) keepGuardMode(ctx context.Context, tx bun.IDB, in *inspection, mode guardMode) error {
	if !mode.changed {
		return nil
	}
	_, err := tx.ExecContext(ctx, "COMMENT ON TABLE "+table(in.name, recordTable)+" IS '"+guardComment+string(mode.Guarding)+"'")
	return err
}

// guards returns the guards of a mode, for columns that exist with a type that the guards can
// read.
func (m *Migrator) guards(in *inspection, g Guarding) guards.Set {
	if !m.postgres() {
		if !in.has("action", "worker_selector") {
			return guards.SQLiteMetadata()
		}
		return guards.SQLite()
	}
	if g == GuardingOff {
		return guards.Set{}
	}
	set := guards.Postgres()
	if in.guest() {
		set = guards.PostgresGuest()
	}
	kept := maps.Clone(set.Kept)
	for name, text := range set.Kept {
		table, _, isTrigger := strings.Cut(name, ".")
		if isTrigger && !in.canGuard(table, strings.Fields(text)[1]) {
			delete(kept, name)
		}
	}
	set.Kept = kept
	set.Apply = guardTrigger().ReplaceAllStringFunc(set.Apply, func(statement string) string {
		m := guardTrigger().FindStringSubmatch(statement)
		if kept[m[3]+"."+m[1]] == "" {
			return ""
		}
		return statement
	})
	if g == GuardingWarn {
		return warning(set)
	}
	return set
}

// canGuard reports whether a column exists with a type that the guards can read.
func (in *inspection) canGuard(table, column string) bool {
	if in.relations[table] == nil {
		return false
	}
	switch in.relations[table].columns[column] {
	case "jsonb":
		return true
	case "text", "varchar":
		return column == "name"
	}
	return false
}

var guardTrigger = lazy.Regexp(`CREATE TRIGGER (\w+) BEFORE INSERT OR UPDATE( OF "\w+")? ON \{schema\}\."(\w+)"\s+FOR EACH ROW EXECUTE FUNCTION [^;]+;`)

// toWarning changes the body of a guard so that it accepts everything, even if it fails.
var toWarning = strings.NewReplacer(
	"RAISE EXCEPTION USING", "RAISE WARNING USING",
	"CONSTRAINT = TG_NAME;\nEND\n", "CONSTRAINT = TG_NAME;\n    RETURN NEW;\nEXCEPTION WHEN OTHERS THEN\n    RETURN NEW;\nEND\n")

// warning changes guards that refuse into guards that warn. Their triggers name no column, so
// that the platform can drop it or change its type.
func warning(set guards.Set) guards.Set {
	set.Apply = guardTrigger().ReplaceAllStringFunc(toWarning.Replace(set.Apply), func(statement string) string {
		return strings.Replace(statement, guardTrigger().FindStringSubmatch(statement)[2], "", 1)
	})
	for name, text := range set.Kept {
		if strings.Contains(name, ".") {
			fields := strings.Fields(text)
			set.Kept[name] = strings.Join(append(fields[:1:1], fields[2:]...), " ")
			continue
		}
		set.Kept[name] = toWarning.Replace(text)
	}
	return set
}
