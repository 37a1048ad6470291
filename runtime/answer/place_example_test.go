package answer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/database"
	_ "github.com/attune-go/attune/schema/database/sqlite"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// suitable is the filter that a platform had before: it loads all workers and tests each.
func suitable(ctx context.Context, db *bun.DB, runtime string, constraint version.Constraint, label, value string) (names []string, err error) {
	var workers []schema.Worker
	if err := db.NewSelect().Model(&workers).Where("status = 'active'").Scan(ctx); err != nil {
		return nil, err
	}
	for _, w := range workers {
		var document struct {
			RuntimeVersions map[string][]string `json:"runtime_versions"`
			Labels          map[string]string
		}
		if err := json.Unmarshal(w.Capabilities, &document); err != nil || document.Labels[label] != value {
			continue
		}
		for _, text := range document.RuntimeVersions[runtime] {
			if v, err := version.Parse(text); err == nil && constraint.Match(v, false) {
				names = append(names, w.Name)
				break
			}
		}
	}
	return names, nil
}

// One call replaces the filter of a platform that loads all workers and tests each of them. It also
// orders the workers, knows which installation runs the runtime, and says why the others do not fit.
func ExamplePlace() {
	ctx := context.Background()
	db, err := database.Open(ctx, database.Memory)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	migrator, err := migrations.New(db, migrations.Config{})
	if err == nil {
		_, err = migrator.Up(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
	st := store.New(db, store.Config{})
	for _, w := range []struct{ name, python, zone string }{
		{"build-1", "3.9.2", "a"}, {"build-2", "3.12.1", "a"}, {"build-3", "3.13.0", "b"}, {"build-4", "3.11.4", "a"},
	} {
		instance, interval := w.name+"-1", 30
		_, _, err := st.Workers.Register(ctx, store.Registration{
			Name: w.name, Role: metadata.Worker, Instance: &instance, HeartbeatInterval: &interval,
			Capabilities: &store.Capabilities{
				Document: fmt.Appendf(nil, `{"runtimes": ["python"], "runtime_versions": {"python": [%q]}, "labels": {"zone": %q}}`, w.python, w.zone),
				Runtimes: []schema.WorkerRuntime{{
					RuntimeRef: "core.python", Name: "python", Outcome: string(capability.Available), Version: w.python, Path: "/usr/bin/python3",
				}},
			},
		})
		if err != nil {
			log.Fatal(err)
		}
	}

	// Before.
	atLeast, err := version.ParseConstraint(">=3.12")
	if err != nil {
		log.Fatal(err)
	}
	names, err := suitable(ctx, db, "python", atLeast, "zone", "a")
	if err != nil {
		log.Fatal(err)
	}
	slices.Sort(names)
	fmt.Println("before:", names)

	// After. Place of store.Workers returns the workers alone, from an index.
	r, err := requirement.Terms{Runtimes: []string{"core.python@>=3.12"}, Select: []string{"zone=a"}}.Requirement()
	if err != nil {
		log.Fatal(err)
	}
	a, err := answer.Place(ctx, st, &r, 20)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range a.Placed {
		fmt.Println("after:", p.Name, p.Runtimes[0].Version, p.Runtimes[0].Path)
	}
	for _, g := range a.Groups {
		fmt.Printf("%d: %s, nearest %s with %s\n", g.Hosts, g.Reasons[0].Kind, g.Nearest.Name, g.Nearest.Reasons[0].Actual)
	}
	// Output:
	// before: [build-2]
	// after: build-2 3.12.1 /usr/bin/python3
	// 2: version, nearest build-4 with 3.11.4
	// 1: selector, nearest build-3 with zone=b
}
