package service_test

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

var storageWorkers = flag.Int("storage-workers", 10_000, "how many workers BenchmarkStorage registers")

// BenchmarkStorage measures what a worker takes in the database, with indexes: hosts that verified 28
// definitions and have some of them, or all. The history is measured apart.
func BenchmarkStorage(b *testing.B) {
	for _, installations := range []int{10, 16, 28} {
		b.Run(fmt.Sprint(installations, "-of-28"), func(b *testing.B) {
			for b.Loop() {
				benchStorage(b, installations)
			}
		})
	}
}

func benchStorage(b *testing.B, installations int) {
	db := testdb.Postgres(b)
	st := store.New(db.DB, store.Config{Schema: db.Schema})
	_, err := db.NewRaw("INSERT INTO ?.runtime (ref, name) SELECT 'core.runtime' || to_char(n, 'FM00'), 'Runtime' FROM generate_series(0, 27) AS n", bun.Ident(db.Schema)).Exec(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	state, err := st.DefinitionsState(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := next.Add(1); n <= int64(*storageWorkers); n = next.Add(1) {
				id := service.Identity{Name: fmt.Sprint("host-", n), Role: metadata.Worker}
				if _, err := service.Register(b.Context(), st.Workers, id, hostOf28(int(n), installations, &state)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(0, "ns/op")
	if _, err := db.DB.DB.Exec("VACUUM"); err != nil {
		b.Fatal(err)
	}
	var rows []struct {
		Name string
		Size float64
	}
	err = db.NewRaw(`SELECT c.relname AS name, pg_total_relation_size(c.oid) / ?::float8 AS size FROM pg_class c
		WHERE c.relnamespace = ?::regnamespace AND c.relname IN ('worker', 'worker_runtime', 'capability_change')`, *storageWorkers, db.Schema).Scan(b.Context(), &rows)
	if err != nil || len(rows) != 3 {
		b.Fatal(rows, err)
	}
	var parts []string
	err = db.NewRaw(`SELECT concat(c.relname, ' ', c.relkind, ' ', round(pg_relation_size(c.oid) / ?::numeric), ' bytes') FROM pg_class c
		WHERE c.relkind IN ('r', 'i', 't') AND (c.relnamespace = ?::regnamespace AND c.relname ~ 'worker' OR c.oid IN (
			SELECT t.reltoastrelid FROM pg_class t WHERE t.relname IN ('worker', 'worker_runtime'))) ORDER BY 1`, *storageWorkers, db.Schema).Scan(b.Context(), &parts)
	if err != nil {
		b.Fatal(err)
	}
	b.Log(strings.Join(parts, "\n"))
	total := 0.0
	for _, r := range rows {
		b.ReportMetric(r.Size/1024, "KB-"+r.Name)
		if r.Name != "capability_change" {
			total += r.Size / 1024
		}
	}
	b.ReportMetric(total, "KB-total")
}

// hostOf28 returns what a host reports: installations found by the first or second command, one that
// failed, and what is not there.
func hostOf28(host, installations int, state *capability.Definitions) *capability.Document {
	caps := &capability.Document{
		Format: capability.Format, Source: capability.SourceDatabase, AttuneVersion: "0.1.0", Definitions: state,
		Host: capability.Host{OS: "linux", Arch: "amd64", User: "attune", Path: []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}},
	}
	code := 0
	for n := range 28 {
		ref, name := fmt.Sprintf("core.runtime%02d", n), fmt.Sprintf("runtime%02d", n)
		command := []string{name, "--version"}
		missing := capability.Attempt{Command: []string{name + "3", "--version"}, Outcome: capability.NotFound}
		missing.Detail, missing.Hint = capability.NotFoundIn(caps.Host.Path, name+"3")
		if n >= installations {
			a := capability.Absence{Ref: ref, Name: name, Outcome: capability.NotFound, Attempts: []capability.Attempt{missing}}
			if n == installations {
				a.Outcome, a.Detail, a.Hint = capability.ExitMismatch, "/usr/bin/"+name+" --version: exit code 127, want 0", "repair or remove it"
				a.Attempts = append(a.Attempts, capability.Attempt{
					Command: command, Path: "/usr/bin/" + name, RealPath: "/usr/bin/" + name, ExitCode: new(127), DurationMS: 3.1,
					Output:  "error while loading shared libraries: lib" + name + ".so.1: cannot open shared object file: No such file or directory",
					Outcome: a.Outcome, Detail: a.Detail, Hint: a.Hint,
				})
			}
			caps.Undetected = append(caps.Undetected, a)
			continue
		}
		version := fmt.Sprintf("3.%d.%d", (host*7919+n*104729)%40, n)
		d := capability.Installation{
			Ref: ref, Name: name, Version: version, VersionRaw: "Runtime " + version, Path: "/usr/bin/" + name, RealPath: fmt.Sprintf("/usr/lib/%s/bin/%s", name, name),
			Default: true, Command: command, Outcome: capability.Available, Source: capability.Verified, VerifiedAt: time.Now(), DurationMS: 9.1 + float64(host%100)/10,
		}
		attempt := d.Attempt()
		attempt.ExitCode, attempt.Pattern, attempt.PatternMatched = &code, "^Runtime 3", new(true)
		switch n % 4 {
		case 1: // found by the second command
			d.Attempts = append(d.Attempts, missing)
		case 2: // prints more than its version
			attempt.Output = d.VersionRaw + "\nCopyright (C) 2026 The Authors\nThis is free software; see the source for copying conditions. There is NO warranty."
		}
		d.Attempts = append(d.Attempts, attempt)
		caps.Detected = append(caps.Detected, d)
	}
	caps.Arrange()
	return caps
}
