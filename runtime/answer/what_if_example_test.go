package answer_test

import (
	"context"
	"fmt"
	"log"

	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/database"
	_ "github.com/attune-go/attune/schema/database/sqlite"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// A platform asks which of its jobs could run nowhere after two changes that are made together. For attune's
// actions and sensors, WhatIfSubjects reads the requirements too.
func ExampleWhatIf() {
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
	st := store.New(db, store.Config{}) // or a transaction of the platform
	for _, w := range []struct{ name, python string }{{"build-1", "3.11.4"}, {"build-2", "3.12.1"}, {"build-3", "3.13.0"}} {
		instance, interval := w.name+"-1", 30
		_, _, err := st.Workers.Register(ctx, store.Registration{
			Name: w.name, Role: metadata.Worker, Instance: &instance, HeartbeatInterval: &interval,
			Capabilities: &store.Capabilities{
				Document: []byte(`{"runtimes": ["python"]}`),
				Runtimes: []schema.WorkerRuntime{{
					RuntimeRef: "core.python", Name: "python", Outcome: string(capability.Available), Version: w.python, Path: "/usr/bin/python3",
				}},
			},
		})
		if err != nil {
			log.Fatal(err)
		}
	}

	var jobs []placement.Subject
	for _, job := range []struct{ name, python string }{{"load", "core.python@>=3.11"}, {"report", "core.python@~3.11"}, {"train", "core.python@>=3.13"}} {
		r, err := requirement.Terms{Runtimes: []string{job.python}}.Requirement()
		if err != nil {
			log.Fatal(err)
		}
		jobs = append(jobs, placement.Subject{Kind: "job", Ref: job.name, Requirement: r})
	}
	var changes []placement.Change
	for _, text := range []string{"core.python min 3.12", "without build-2"} {
		change, err := placement.ParseChange(text)
		if err != nil {
			log.Fatal(err)
		}
		changes = append(changes, change)
	}
	effects, err := answer.WhatIf(ctx, st, jobs, changes)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range effects {
		fmt.Println(e.Ref, e.Before, "->", e.After, "stranded:", e.Stranded)
	}
	// Output:
	// load 3 -> 1 stranded: false
	// report 1 -> 0 stranded: true
	// train 1 -> 1 stranded: false
}
