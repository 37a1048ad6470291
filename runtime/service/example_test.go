package service_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/database"
	_ "github.com/attune-go/attune/schema/database/sqlite"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A service registers a worker, keeps its row true and marks it inactive at the end.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	folder, err := os.MkdirTemp("", "example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(folder, "attune.db"))
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
	st := store.New(db, store.Config{})
	native := &metadata.Definition{Ref: "acme.native", Name: "Native"}
	native.Distributions.Verification = &metadata.Verification{AlwaysAvailable: true}
	if _, err := st.Runtimes.UpsertDefinition(ctx, native, nil); err != nil {
		log.Fatal(err)
	}

	local := host.Local(host.LocalConfig{})
	svc, err := service.New(service.Identity{Name: "build-7", Role: metadata.Worker}, service.Config{
		Open: func(context.Context) (*service.Database, error) {
			return &service.Database{Definitions: st, Rows: st.Workers, Close: db.Close}, nil
		},
		Detector: func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
			return detect.New(defs, detect.Config{
				Host: local, Role: metadata.Worker, Explain: true, Warnings: warnings,
				Getenv: func(string) string { return "" }, // no runtimes from the environment
			})
		},
		Host: local,
	})
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- svc.Run(ctx) }()
	for svc.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	row, err := st.Workers.ByIdentity(ctx, metadata.Worker, "build-7")
	if err != nil {
		log.Fatal(err)
	}
	var caps capability.Document
	if err := caps.UnmarshalJSON(row.Capabilities); err != nil {
		log.Fatal(err)
	}
	fmt.Println(*row.Status, caps.Runtimes)
	cancel()
	fmt.Println(<-ended)
	// Output:
	// active [native]
	// <nil>
}
