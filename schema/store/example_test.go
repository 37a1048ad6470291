package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/database"
	_ "github.com/attune-go/attune/schema/database/sqlite"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// openExample opens an empty database in memory with attune's tables.
func openExample(ctx context.Context) *bun.DB {
	db, err := database.Open(ctx, database.Memory)
	if err != nil {
		log.Fatal(err)
	}
	migrator, err := migrations.New(db, migrations.Config{})
	if err == nil {
		_, err = migrator.Up(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
	return db
}

// A store over a transaction writes together with the platform's own statements.
func ExampleNew_transaction() {
	ctx := context.Background()
	db := openExample(ctx)
	defer db.Close()

	errLicense := errors.New("no license for COBOL")
	err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		st := store.New(tx, store.Config{})
		cobol := &metadata.Definition{Ref: "acme.cobol", Name: "COBOL"}
		if _, err := st.Runtimes.UpsertDefinition(ctx, cobol, nil); err != nil {
			return err
		}
		return errLicense // rolls back the definition too
	})
	fmt.Println(err)

	_, err = store.New(db, store.Config{}).Runtimes.ByRef(ctx, "acme.cobol")
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output:
	// no license for COBOL
	// true
}

// Having finds the workers to which work can be sent, the newest versions first.
func ExampleWorkers_Having() {
	ctx := context.Background()
	db := openExample(ctx)
	defer db.Close()
	st := store.New(db, store.Config{})

	registerPythons(ctx, st, map[string]string{"build-1": "3.9.2", "build-2": "3.12.1", "build-3": "3.13.0"})

	atLeast, err := version.ParseConstraint(">=3.12")
	if err != nil {
		log.Fatal(err)
	}
	matches, err := st.Workers.Having(ctx, "core.python", store.HavingFilter{Constraint: &atLeast, Role: metadata.Worker})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range matches {
		fmt.Println(m.Name, m.Version)
	}
	// Output:
	// build-3 3.13.0
	// build-2 3.12.1
}

// A platform chooses a worker and inserts a job of its own in one transaction. Either both happen
// or neither.
func ExampleWorkers_Place() {
	ctx := context.Background()
	db := openExample(ctx)
	defer db.Close()
	_, err := db.ExecContext(ctx, "CREATE TABLE job (id INTEGER PRIMARY KEY, script TEXT NOT NULL, worker INTEGER NOT NULL REFERENCES worker (id))")
	if err != nil {
		log.Fatal(err)
	}
	registerPythons(ctx, store.New(db, store.Config{}), map[string]string{"build-1": "3.9.2", "build-2": "3.12.1"})

	errNowhere := errors.New("no worker can run it")
	enqueue := func(script, python string) error {
		r, err := requirement.Terms{Runtimes: []string{"core.python@" + python}, Role: "worker"}.Requirement()
		if err != nil {
			return err
		}
		return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			placed, err := store.New(tx, store.Config{}).Workers.Place(ctx, &r, 1)
			if err != nil {
				return err
			}
			if len(placed) == 0 {
				return errNowhere // answer.Place says why
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO job (script, worker) VALUES (?, ?)", script, placed[0].Worker)
			return err
		})
	}
	fmt.Println(enqueue("load.py", ">=3.11"))
	fmt.Println(enqueue("new.py", ">=3.14"))

	var jobs []string
	err = db.NewRaw("SELECT job.script || ' on ' || worker.name FROM job JOIN worker ON worker.id = job.worker").Scan(ctx, &jobs)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(jobs)
	// Output:
	// <nil>
	// no worker can run it
	// [load.py on build-2]
}

// registerPythons registers workers with a version of Python each.
func registerPythons(ctx context.Context, st *store.Store, versions map[string]string) {
	for name, python := range versions {
		instance, interval := name+"-1", 30
		_, _, err := st.Workers.Register(ctx, store.Registration{
			Name: name, Role: metadata.Worker, Instance: &instance, HeartbeatInterval: &interval,
			Capabilities: &store.Capabilities{
				Document: json.RawMessage(`{"runtimes": ["python"]}`),
				Runtimes: []schema.WorkerRuntime{{
					RuntimeRef: "core.python", Name: "python", Outcome: string(capability.Available), Version: python, Path: "/usr/bin/python3",
				}},
			},
		})
		if err != nil {
			log.Fatal(err)
		}
	}
}

// A Selection finds workers by what the rows say, also those that do not run.
func ExampleWorkers_Select() {
	ctx := context.Background()
	db := openExample(ctx)
	defer db.Close()
	st := store.New(db, store.Config{})

	for name, zone := range map[string]string{"build-1": "a", "build-2": "b"} {
		_, _, err := st.Workers.Register(ctx, store.Registration{
			Name: name, Role: metadata.Worker,
			Capabilities: &store.Capabilities{
				Document: json.RawMessage(`{"runtimes": ["perl"], "labels": {"zone": "` + zone + `"}}`),
				Runtimes: []schema.WorkerRuntime{{RuntimeRef: "core.perl", Name: "perl", Outcome: string(capability.Available)}},
			},
		})
		if err != nil {
			log.Fatal(err)
		}
	}

	zone := "b"
	found, err := st.Workers.Select(ctx, store.Selection{
		Names:  []string{"build-*"},
		Labels: []store.Label{{Key: "zone", Value: &zone}},
		Has:    []store.RuntimeFilter{{Ref: "core.perl"}},
		Lacks:  []store.RuntimeFilter{{Ref: "core.python"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range found {
		fmt.Println(w.Name)
	}
	// Output:
	// build-2
}

// An operator keeps new work off a worker, beside his platform's own statements.
func ExampleWorkers_Cordon() {
	ctx := context.Background()
	db := openExample(ctx)
	defer db.Close()
	st := store.New(db, store.Config{})

	instance, interval := "build-1-1", 30
	worker, _, err := st.Workers.Register(ctx, store.Registration{
		Name: "build-1", Role: metadata.Worker, Instance: &instance, HeartbeatInterval: &interval,
		Capabilities: &store.Capabilities{Document: json.RawMessage(`{"runtimes": []}`)},
	})
	if err != nil {
		log.Fatal(err)
	}
	count := func() {
		placed, err := st.Workers.Place(ctx, &requirement.Requirement{}, 0)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(placed), "can run it")
	}
	count()
	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := store.New(tx, store.Config{}).Workers.Cordon(ctx, "the disk is failing", worker.ID)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	count()
	// Output:
	// 1 can run it
	// 0 can run it
}
