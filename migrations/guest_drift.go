package migrations

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/lazy"
)

var (
	newTable    = lazy.Regexp(`(?s)CREATE TABLE \{schema\}\.(\w+) \((.*?)\n\)`)
	dropTrigger = lazy.Regexp(`DROP TRIGGER IF EXISTS (\w+) ON \{schema\}\.(\w+)`)
	newColumn   = lazy.Regexp(`(?m)^    ([a-z_]+) +(\w+)`)
)

// guestDrift compares the columns of attune's tables in a guest and attune's triggers with what the migrations
// made. Some of these tables have no model. It also finds columns of the platform that attune's functions need.
func (m *Migrator) guestDrift(ctx context.Context, db bun.IDB, in *inspection) (found []Difference, err error) {
	if !in.guest() {
		return nil, nil
	}
	for _, d := range in.lostColumns() {
		if !hasModel(d.Table) {
			found = append(found, d)
		}
	}
	found = append(found, in.unfit()...)
	triggers := slices.Concat(guestTriggersOn(WorkerRuntime), guestTriggersOn(Lookups))
	for _, s := range m.steps {
		dropped := guestMatches(dropTrigger(), s.id)
		triggers = slices.DeleteFunc(triggers, func(name string) bool { return slices.Contains(dropped, name) })
	}
	var live []string
	err = db.NewRaw(`
SELECT c.relname || '.' || t.tgname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = ?0 AND t.tgenabled IN ('O', 'A') AND c.relname || '.' || t.tgname IN (?1)`, in.oid, bun.List(triggers)).Scan(ctx, &live)
	if err != nil {
		return nil, fmt.Errorf("read triggers of schema %q: %w", in.name, explain(err))
	}
	for _, name := range triggers {
		if table, trigger, _ := strings.Cut(name, "."); !slices.Contains(live, name) && !slices.Contains(guestTriggers[table], trigger) {
			found = append(found, Difference{Table: table, Is: "no trigger " + trigger + " that fires", ShouldBe: "trigger " + trigger})
		}
	}
	return found, nil
}

// lostColumns finds columns that somebody dropped from the tables that the recorded migrations made in a guest.
func (in *inspection) lostColumns() (lost []Difference) {
	for _, id := range guestSteps {
		if !in.isRecorded(id) {
			continue
		}
		text, err := files.ReadFile(path.Join("guest", id+".up.sql"))
		if err != nil {
			panic(err) // the file is embedded
		}
		for _, t := range newTable().FindAllStringSubmatch(string(text), -1) {
			for _, c := range newColumn().FindAllStringSubmatch(t[2], -1) {
				if in.relations[t[1]] != nil && !in.has(t[1], c[1]) {
					lost = append(lost, Difference{Table: t[1], Column: c[1], Is: "missing", ShouldBe: "a column"})
				}
			}
		}
	}
	return lost
}

// hasModel reports whether a table of attune's in a guest has a model, so that drift compares it.
func hasModel(table string) bool {
	for _, name := range guestTables {
		if name == table {
			return true
		}
	}
	return false
}
