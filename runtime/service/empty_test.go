package service_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// over returns the configuration of a service with defaults.
func over(db *testdb.DB, logger *slog.Logger) service.Config {
	st, local := store.New(db, store.Config{}), host.Local(host.LocalConfig{})
	return service.Config{
		Open: func(context.Context) (*service.Database, error) {
			return &service.Database{Definitions: st, Rows: st.Workers}, nil
		},
		Detector: func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
			return detect.New(defs, detect.Config{
				Host: local, Explain: true, Warnings: warnings, Getenv: func(string) string { return "" },
			})
		},
		Host: local, Logger: logger,
	}
}

// TestNoTables checks that a service on a database without tables ends, and says what to do.
func TestNoTables(t *testing.T) {
	for name, db := range map[string]*testdb.DB{"postgres": testdb.EmptyPostgres(t), "sqlite": testdb.EmptySQLite(t)} {
		checked := over(db, nil)
		open := checked.Open
		checked.Open = func(ctx context.Context) (*service.Database, error) {
			migrator, err := migrations.New(db.DB, migrations.Config{})
			if err == nil {
				_, err = migrator.Check(ctx)
			}
			if err != nil {
				return nil, err
			}
			return open(ctx)
		}
		unlike := over(db, nil)
		unlike.IsPermanent = database.IsPermanent
		for way, cfg := range map[string]service.Config{"defaults": over(db, nil), "checked": checked, "another IsPermanent": unlike} {
			svc, err := service.New(service.Identity{Name: "build-7", Role: metadata.Worker}, cfg)
			if err != nil {
				t.Fatal(err)
			}
			err = svc.Run(t.Context())
			if !errors.Is(err, store.ErrNoTables) || way != "checked" && !strings.Contains(err.Error(), "migrate the database") {
				t.Errorf("%s, %s: Run: %v", name, way, err)
			}
		}
	}
}

// TestNoDefinitions checks that a service on a database without packs says so in its log and
// in its document, until definitions come.
func TestNoDefinitions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		if _, err := b.db.NewRaw("DELETE FROM ?", bun.Safe(b.Layout().Table("runtime"))).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		svc := b.start(b.config())
		b.step(svc)
		const text = "the database has no runtimes, so nothing is detected; load a pack"
		if !strings.Contains(b.log.String(), text) || !strings.Contains(string(b.row().Capabilities), text) {
			t.Errorf("log:\n%s\ndocument: %s", b.log, b.row().Capabilities)
		}
	})
}
