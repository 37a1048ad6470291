package migrations

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/guards"
)

// Guarding is what the guards do with wrong metadata.
type Guarding string

// The ways of guarding. SQLite only has the first.
const (
	// GuardingRefuse refuses the statement. It is the default but in a guest.
	GuardingRefuse Guarding = "refuse"
	// GuardingWarn lets every statement through and raises a warning. It is the default
	// in a guest.
	GuardingWarn Guarding = "warn"
	// GuardingOff has no guards.
	GuardingOff Guarding = "off"
)

// guardMode is the way of guarding that Up brings about; changed: the database keeps
// another one.
type guardMode struct {
	Guarding
	changed bool
}

// checkGuarding refuses what a database cannot do.
func checkGuarding(folder string, g Guarding) error {
	switch g {
	case "", GuardingRefuse:
		return nil
	case GuardingWarn, GuardingOff:
		if folder == "postgres" {
			return nil
		}
		return fmt.Errorf("guards %q: SQLite only has %q", g, GuardingRefuse)
	}
	return fmt.Errorf("guards must be %s, %s or %s, got %q", GuardingRefuse, GuardingWarn, GuardingOff, g)
}

// guardComment begins the comment on attune_migrations that keeps the way of guarding.
const guardComment = "attune guards: "

// guardMode returns what was asked for, else what the database keeps, else the default.
func (m *Migrator) guardMode(ctx context.Context, db bun.IDB, in *inspection) (guardMode, error) {
	mode := guardMode{Guarding: GuardingRefuse}
	if in.guest() {
		mode.Guarding = GuardingWarn
	}
	if r := in.relations[recordTable]; r != nil && m.postgres() {
		var comment string
		err := db.NewRaw("SELECT coalesce(pg_catalog.obj_description(?, 'pg_class'), '')", r.oid).Scan(ctx, &comment)
		if err != nil {
			return mode, fmt.Errorf("read which guards were asked for: %w", explain(err))
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

// keepGuardMode writes down a way of guarding that was asked for.
func (m *Migrator) keepGuardMode(ctx context.Context, tx bun.IDB, in *inspection, mode guardMode) error {
	if !mode.changed {
		return nil
	}
	_, err := tx.ExecContext(ctx, "COMMENT ON TABLE "+table(in.name, recordTable)+" IS '"+guardComment+string(mode.Guarding)+"'")
	return err
}

// guards returns the guards of a mode, for the columns that are there with a type that
// the guards can read.
func (m *Migrator) guards(in *inspection, g Guarding) guards.Set {
	if !m.postgres() {
		return guards.SQLite()
	}
	if g == GuardingOff {
		return guards.Set{}
	}
	set := guards.Postgres()
	kept := maps.Clone(set.Kept)
	for name, text := range set.Kept {
		table, _, isTrigger := strings.Cut(name, ".")
		if isTrigger && !in.guardable(table, strings.Fields(text)[1]) {
			delete(kept, name)
		}
	}
	set.Kept = kept
	set.Apply = guardTrigger.ReplaceAllStringFunc(set.Apply, func(statement string) string {
		m := guardTrigger.FindStringSubmatch(statement)
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

// guardable reports whether a column is there with a type that the guards can read.
func (in *inspection) guardable(table, column string) bool {
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

var guardTrigger = regexp.MustCompile(`CREATE TRIGGER (\w+) BEFORE INSERT OR UPDATE( OF "\w+")? ON \{schema\}\."(\w+)"\s+FOR EACH ROW EXECUTE FUNCTION [^;]+;`)

// toWarning makes the body of a guard let everything through, whatever happens in it.
var toWarning = strings.NewReplacer(
	"RAISE EXCEPTION USING", "RAISE WARNING USING",
	"CONSTRAINT = TG_NAME;\nEND\n", "CONSTRAINT = TG_NAME;\n    RETURN NEW;\nEXCEPTION WHEN OTHERS THEN\n    RETURN NEW;\nEND\n")

// warning makes guards that refuse into guards that warn. Their triggers name no column,
// so that the platform can drop it or give it another type.
func warning(set guards.Set) guards.Set {
	set.Apply = guardTrigger.ReplaceAllStringFunc(toWarning.Replace(set.Apply), func(statement string) string {
		return strings.Replace(statement, guardTrigger.FindStringSubmatch(statement)[2], "", 1)
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
