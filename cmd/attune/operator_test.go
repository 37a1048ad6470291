package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/hostcmd"
	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// rolesFile is where the roles stand; tests leave their folder.
var rolesFile, _ = filepath.Abs("../../docs/roles.sql")

func stored(db *testdb.DB) *store.Store { return store.New(db, store.Config{Schema: db.Schema}) }

func exec(t *testing.T, db *testdb.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// silence makes the last heartbeat of a worker that many seconds old.
func silence(t *testing.T, db *testdb.DB, name string, seconds int) {
	t.Helper()
	then := "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-' || ? || ' seconds')"
	if strings.HasPrefix(db.URL, "postgres") {
		then = "CURRENT_TIMESTAMP - interval '1 second' * ?"
	}
	exec(t, db, "UPDATE worker SET last_heartbeat = "+then+" WHERE name = ?", seconds, name)
}

func python(version, path string) capability.Installation {
	return capability.Installation{
		Ref: "core.python", Name: "python", Version: version, VersionRaw: "Python " + version, Path: path, RealPath: path,
		Command: []string{"python3", "--version"}, Outcome: capability.Available, Source: capability.Verified, VerifiedAt: time.Now(),
	}
}

// fleet is a database with a few workers of all kinds.
func fleet(t *testing.T, db *testdb.DB) {
	t.Helper()
	isolated(t)
	uses(t, db)
	want(t, run(t, "packs", "load", "core"), 0)
	label := func(zone string) map[string]json.RawMessage {
		return map[string]json.RawMessage{"labels": json.RawMessage(`{"zone": "` + zone + `"}`), "max_concurrent_executions": json.RawMessage("7"),
			"taints": json.RawMessage(`[{"key": "gpu", "value": "a100", "effect": "no_schedule"}, {"key": "spot", "effect": "prefer_no_schedule"}, 7]`)}
	}
	code := 1
	reports.Register(t, db, metadata.Worker, "web-1", &capability.Document{
		Detected: []capability.Installation{python("3.12.1", "/usr/bin/python3"), python("3.11.7", "/opt/python3")}, Extra: label("a"),
	})
	reports.Register(t, db, metadata.Worker, "web-2", &capability.Document{
		Detected: []capability.Installation{python("3.13.0-rc1", "/usr/bin/python3")}, Extra: label("b"),
		Undetected: []capability.Absence{{
			Ref: "core.ruby", Name: "ruby", Outcome: capability.ExitMismatch, Detail: "it exits with 1\x1b[31m", Hint: "install ruby",
			Attempts: []capability.Attempt{{
				Command: []string{"ruby", "--version"}, Path: "/usr/bin/ruby", ExitCode: &code, Output: "\x1b]0;broken\a\n", Outcome: capability.ExitMismatch,
			}},
		}},
	})
	reports.Register(t, db, metadata.Sensor, "eye", &capability.Document{
		Undetected: []capability.Absence{{Ref: "core.python", Name: "python", Outcome: capability.Timeout, Detail: "no answer within 10s"}},
	})
	reports.Register(t, db, metadata.Worker, "declared", &capability.Document{
		Source: capability.SourceConfig, Detected: []capability.Installation{
			{Ref: "core.python", Name: "python", Outcome: capability.Available, Source: capability.Declared},
			{Name: "fortran", Outcome: capability.Available, Source: capability.Declared},
		},
	})
	reports.Register(t, db, metadata.Worker, "lost", &capability.Document{Detected: []capability.Installation{python("2.7.18", "/usr/bin/python")}})
	silence(t, db, "lost", 125)
	reports.Register(t, db, metadata.Worker, "ended", &capability.Document{})
	row, err := stored(db).Workers.ByIdentity(t.Context(), metadata.Worker, "ended")
	if err != nil {
		t.Fatal(err)
	}
	if err := stored(db).Workers.Deactivate(t.Context(), row.ID, *row.Instance); err != nil {
		t.Fatal(err)
	}
	silence(t, db, "ended", 120)
	fixtures.Worker(t.Context(), t, db, fixtures.WorkerOpts{Name: new("old\x1b[31m")})
}

// listed are the names of the workers that a command lists.
func listed(t *testing.T, args ...string) []string {
	t.Helper()
	got := run(t, append([]string{"workers", "list", "--json"}, args...)...)
	var docs []answer.WorkerItem
	if err := json.Unmarshal([]byte(got.out), &docs); err != nil || got.status != 0 {
		t.Fatalf("%q: %v, status %d\n%s%s", args, err, got.status, got.out, got.errOut)
	}
	names := []string{}
	for _, d := range docs {
		names = append(names, d.Name)
	}
	return names
}

func TestWorkersSelected(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		const old = "old\x1b[31m"
		for _, c := range []struct {
			args []string
			want []string
		}{
			{nil, []string{"declared", "ended", "eye", "lost", old, "web-1", "web-2"}},
			{[]string{"--has", "PYTHON3"}, []string{"declared", "lost", "web-1", "web-2"}},
			{[]string{"--has", "core.python@>=3.11,<4"}, []string{"web-1"}},
			{[]string{"--runtime", "python@2"}, []string{"lost"}},
			{[]string{"has:Python@>=3.11,<4"}, []string{"web-1"}},
			{[]string{"--has", "python@>=3.11", "--prereleases"}, []string{"web-1", "web-2"}},
			{[]string{"--has", "python@3.11.*", "--has", "python@3.12.*"}, []string{"web-1"}},
			{[]string{"--lacks", "python"}, []string{"ended", "eye", old}},
			{[]string{"--lacks", "python@>=3.12", "--has", "python", "role:worker"}, []string{"declared", "lost", "web-2"}},
			{[]string{"--has", "fortran"}, []string{"declared"}},
			{[]string{"--stale"}, []string{"lost"}},
			{[]string{"status:stale", "status:inactive"}, []string{"ended", "lost"}},
			{[]string{"--role", "sensor"}, []string{"eye"}},
			{[]string{"--label", "zone=a"}, []string{"web-1"}},
			{[]string{"label:zone"}, []string{"web-1", "web-2"}},
			{[]string{"web-*", "eye", "host:h-lost"}, []string{"eye", "lost", "web-1", "web-2"}},
			{[]string{"web-?", "--label", "zone=b", "--limit", "1"}, []string{"web-2"}},
		} {
			if diff := gocmp.Diff(c.want, listed(t, c.args...)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.args, diff)
			}
		}
		var docs []answer.WorkerItem
		if err := json.Unmarshal([]byte(run(t, "workers", "list", "lost", "eye", "old*", "--json").out), &docs); err != nil || len(docs) != 3 ||
			docs[0].Stale || !docs[1].Stale || docs[1].SilentSeconds == nil || *docs[1].SilentSeconds < 120 || docs[2].SilentSeconds != nil {
			t.Errorf("--json: %v, %+v", err, docs)
		}
		docs = nil
		if err := json.Unmarshal([]byte(run(t, "workers", "list", "--has", "python@<4", "--json").out), &docs); err != nil {
			t.Fatal(err)
		}
		got := map[string]*answer.Match{}
		for _, d := range docs {
			got[d.Name] = d.Match
		}
		if diff := gocmp.Diff(map[string]*answer.Match{"lost": nil, "web-1": {Version: "3.12.1", Path: "/usr/bin/python3"}}, got); diff != "" {
			t.Errorf("matches (-want +got):\n%s", diff)
		}
		want(t, run(t, "workers", "list"), 0, "lost", "active, stale", "2m", `old\x1b[31m`, "not registered by attune")
		want(t, run(t, "workers", "list", "--lacks", "python@>=3.13"), 0,
			"PYTHON", "only 3.12.1, 3.11.7", "only 3.13.0-rc1", "timeout", "could not tell: unknown version (declared)", "not registered by attune")
		want(t, run(t, "workers", "list", "nobody"), 0, "no workers that fit; no worker \"nobody\"\n")
		want(t, run(t, "workers", "list", "web-3", "web-*", "role:sensor"), 0, "no workers that fit; no worker \"web-3\", did you mean web-")
		want(t, run(t, "workers", "list", "web-1", "role:sensor"), 0, "no workers that fit\n")
		want(t, run(t, "workers", "list", "--has", "pyton"), 1, "did you mean", "python")
		want(t, run(t, "workers", "show", "web-3"), 1, "did you mean web-")
		want(t, run(t, "workers", "show", "web-1"), 0, "labels       zone=a", "taints       gpu=a100:no_schedule spot:prefer_no_schedule", "at a time    7\n", "PATH         /usr/local/bin:/usr/bin", "due every 30s", "3.11.7")
		want(t, run(t, "workers", "show", "h-lost"), 0, "worker       lost", "active, stale", "2m")
		for _, c := range []struct{ term, say string }{
			{"has:python@", "no versions after the @"},
			{"has:python@>=x", "python@>=x"},
			{"lacks:@3", "must name a runtime"},
			{"roel:worker", "did you mean role:?"},
			{"id:seven", `id: must be a number, got "seven"`},
			{"status:asleep", "stale"},
			{"label:", "nothing after label:"},
		} {
			want(t, run(t, "workers", "list", c.term), 2, c.say)
			want(t, run(t, "workers", "refresh", c.term), 2, c.say)
		}
	})
}

func TestExplainStored(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		reports.Register(t, db, metadata.Worker, "env", &capability.Document{Source: capability.SourceEnvironment})
		reports.Register(t, db, metadata.Worker, "early", &capability.Document{})
		unconfirmed := python("3.12.1", "/usr/bin/python3")
		unconfirmed.UnconfirmedSince = time.Now()
		reports.Register(t, db, metadata.Worker, "doubt", &capability.Document{Detected: []capability.Installation{unconfirmed}})
		broken := capability.Failure{
			Ref: "core.python", Name: "python", Path: "/opt/3.12/python3", RealPath: "/opt/3.12/python3.12", Outcome: capability.ExitMismatch,
			Detail: "/opt/3.12/python3 --version: exit status 127", Hint: "make it work", VerifiedAt: time.Now(),
			Attempts: []capability.Attempt{{Command: []string{"python3", "--version"}, Path: "/opt/3.12/python3", ExitCode: new(127), Output: "libssl.so.3\x1b[31m", Outcome: capability.ExitMismatch}},
		}
		untold, rubbish, old := broken, broken, broken
		untold.Outcome, untold.Detail = capability.Timeout, "no end in 10s"
		rubbish.Path, rubbish.RealPath, rubbish.Attempts, rubbish.Declared, rubbish.Outcome, rubbish.Detail = "", "", nil, "3.12", capability.InvalidMetadata, "missing closing )"
		old.Version, old.Outcome = "3.8.1", capability.BelowMinVersion
		for name, failed := range map[string]capability.Failure{"broken": broken, "slow": untold, "rubbish": rubbish, "aged": old} {
			reports.Register(t, db, metadata.Worker, name, &capability.Document{Detected: []capability.Installation{python("3.9.2", "/usr/bin/python3")}, Failed: []capability.Failure{failed}})
		}
		reports.Register(t, db, metadata.Worker, "many", &capability.Document{Detected: []capability.Installation{python("3.9.2", "/usr/bin/python3")}, Failed: []capability.Failure{broken, rubbish, old}})
		want(t, run(t, "workers", "list", "broken", "lacks:python@3.12"), 0, "only 3.9.2")
		want(t, run(t, "workers", "list", "slow", "lacks:python@3.12"), 0, "could not tell: 3.9.2")
		want(t, run(t, "workers", "show", "many"), 0, "does not count: python /opt/3.12/python3: exit_mismatch", "does not count: python declared version 3.12: invalid_metadata")
		for _, c := range []struct {
			args   string
			status int
			say    []string
		}{
			{"broken python@3.12", 3, []string{"python@3.12 on broken: no", "none of its versions satisfies 3.12; one more does not count: exit_mismatch: /opt/3.12/python3 --version: exit status 127",
				"helps      make it work", "does not count  /opt/3.12/python3: exit_mismatch", "really     /opt/3.12/python3.12", "exit code  127", `libssl.so.3\x1b[31m`, "verified   at 2"}},
			{"broken python@3.9", 0, []string{": yes", "does not count  /opt/3.12/python3"}},
			{"slow python@3.12", 3, []string{": could not tell", "none of its known versions satisfies 3.12; one could not be determined: timeout: no end in 10s"}},
			{"rubbish python@3.12", 3, []string{": could not tell", "invalid_metadata: missing closing )", "does not count  declared version 3.12: invalid_metadata"}},
			{"rubbish python@3.11", 3, []string{": no", "none of its versions satisfies 3.11\n", "missing closing )"}},
			{"aged python@3.12", 3, []string{": no", "none of its versions satisfies 3.12\n", "below_min_version", "version    3.8.1"}},
			{"aged python@3.8", 3, []string{": no", "one more does not count: below_min_version"}},
			{"many python@3.12", 3, []string{": could not tell", "there are 2 more, and some of them could not be determined"}},
			{"web-1 python@3.12", 0, []string{"python@3.12 on web-1: yes", "3.12.1", "satisfies it", "3.11.7 is not 3.12", "verified at ", "PATH       /usr/local/bin:/usr/bin", "declared   no"}},
			{"web-2 python@>=3.12", 3, []string{": no", "a pre-release", "--prereleases"}},
			{"web-2 python@>=3.12 --prereleases", 0, []string{": yes"}},
			{"web-2 RUBY", 3, []string{"ruby on web-2: no", `exit_mismatch: it exits with 1\x1b[31m`, "install ruby", "1. ruby --version: exit_mismatch", "exit code  1", `\x1b]0;broken\x07`, "attune workers refresh web-2"}},
			{"eye python", 3, []string{"could not tell", "timeout: no answer within 10s", "no attempts are stored", "sensor, active"}},
			{"declared python", 0, []string{": yes", "by the service's config", "known      declared"}},
			{"declared python@>=3", 3, []string{"could not tell", "the version is unknown", "verify_declared"}},
			{"declared ruby", 3, []string{"not asked", "worker.capabilities.runtimes"}},
			{"declared fortran", 0, []string{": yes", "no definition"}},
			{"env python", 3, []string{"not asked", "ATTUNE_WORKER_RUNTIMES"}},
			{"early python", 3, []string{"not asked", "since the definition was added", "attune workers refresh early"}},
			{"early builtin", 3, []string{"not asked", "not for the role worker"}},
			{"doubt python@3", 0, []string{": yes", "could not be determined", "could not be determined since"}},
			{"lost python", 0, []string{": yes", "worker is stale", "2m", "why it is silent"}},
			{"lost python@3", 3, []string{": no", "start the service there"}},
			{"ended python", 3, []string{"is not running"}},
			{"old* python", 3, []string{"not asked", `old\x1b[31m`, "never reported"}},
			{"h-web-1 python", 0, []string{"on web-1"}},
			{"web-3 python", 1, []string{"did you mean web-"}},
			{"web-1 pyton", 1, []string{"did you mean"}},
			{"web-1 python@", 2, []string{"no versions after the @"}},
			{"web-1 python --role sensor", 1, []string{"no worker"}},
		} {
			want(t, run(t, append([]string{"explain", "--exit-code"}, strings.Fields(c.args)...)...), c.status, c.say...)
		}
		got := run(t, "explain", "--json", "broken", "python@3.12")
		var accounts []answer.Explanation
		if err := json.Unmarshal([]byte(got.out), &accounts); err != nil || len(accounts) != 1 || accounts[0].Answer != answer.No || accounts[0].Negative != nil ||
			len(accounts[0].Failed) != 1 || accounts[0].Failed[0].Path != "/opt/3.12/python3" || len(accounts[0].Failed[0].Attempts) != 1 {
			t.Errorf("--json: %v in\n%s", err, got.out)
		}
		got = run(t, "explain", "--json", "web-2", "ruby")
		if err := json.Unmarshal([]byte(got.out), &accounts); err != nil || len(accounts) != 1 || accounts[0].Answer != answer.No ||
			accounts[0].Negative == nil || len(accounts[0].Negative.Attempts) != 1 || accounts[0].Negative.VerifiedAt == nil || accounts[0].Host == nil {
			t.Errorf("--json: %v in\n%s", err, got.out)
		}
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		ctx, st := t.Context(), stored(db)
		next, err := service.CapabilitiesOf(&capability.Document{
			Format: capability.Format, Runtimes: []string{"python"}, Detected: []capability.Installation{python("3.12.4", "/usr/bin/python3")},
		}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		row, err := st.Workers.ByIdentity(ctx, metadata.Worker, "web-1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.Workers.Report(ctx, row.ID, *row.Instance, *next); err != nil {
			t.Fatal(err)
		}
		want(t, run(t, "workers", "history", "web-1"), 0, "gained", "version_changed", "3.12.1 -> 3.12.4", "lost", "no longer found at /opt/python3")
		history := func(args ...string) (kinds []string, last int64) {
			t.Helper()
			got := run(t, append([]string{"workers", "history", "--json"}, args...)...)
			var docs []answer.Change
			if err := json.Unmarshal([]byte(got.out), &docs); err != nil || got.status != 0 {
				t.Fatalf("%q: %v\n%s%s", args, err, got.out, got.errOut)
			}
			for _, d := range docs {
				kinds, last = append(kinds, string(d.Kind)), d.ID
			}
			return kinds, last
		}
		all, _ := history("web-1", "--runtime", "PYTHON3")
		first, last := history(fmt.Sprint(row.ID), "--limit", "2")
		want(t, run(t, "workers", "history", "web-1", "--limit", "2"), 0, fmt.Sprintf("older changes are left out; --before %d shows them", last))
		rest, _ := history("h-web-1", "--before", fmt.Sprint(last))
		if diff := gocmp.Diff(all, append(first, rest...)); diff != "" || len(all) != 4 {
			t.Errorf("in parts (-whole +parts):\n%s", diff)
		}
		want(t, run(t, "workers", "history", "web-*"), 0, "web-1", "web-2", "3.13.0-rc1")
		want(t, run(t, "workers", "history", "web-1", "--runtime", "ruby"), 0, "no changes that fit")
		want(t, run(t, "workers", "history", "ended"), 0, "no changes\n")
		want(t, run(t, "workers", "history", "web-1", "--role", "sensor"), 1, "no worker")
		want(t, run(t, "workers", "history", "web-3"), 1, "did you mean web-")
		want(t, run(t, "workers", "history", "web-1", "--limit=-1"), 2, "--limit must be at least 0, got -1")
		if err := st.Workers.Delete(ctx, row.ID); err != nil {
			t.Fatal(err)
		}
		want(t, run(t, "workers", "history", "web-1"), 0, "3.12.1 -> 3.12.4")
	})
}

func TestRefreshSelected(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		requested := func() (names []string) {
			t.Helper()
			list, err := stored(db).Workers.Select(t.Context(), store.Selection{})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range list {
				if w.RefreshRequested != nil {
					names = append(names, w.Name)
				}
			}
			return names
		}
		want(t, run(t, "workers", "refresh"), 2, "say which workers")
		want(t, run(t, "workers", "refresh", "web-3"), 1, "did you mean web-")
		want(t, run(t, "workers", "refresh", "web-*", "role:sensor"), 0, "no workers that fit\n")
		if got := run(t, "workers", "refresh", "silent:30d", "--json"); got.status != 0 || got.out != "[]\n" {
			t.Errorf("nothing fits: status %d\n%s%s", got.status, got.out, got.errOut)
		}
		want(t, run(t, "workers", "refresh", "*", "--dry-run"), 0, "web-1", "nobody was asked")
		if got := requested(); got != nil {
			t.Errorf("after refusals and a dry run asked are %q", got)
		}
		want(t, run(t, "workers", "refresh", "web-*", "--has", "python@>=3.12"), 0, "web-1", "within about 30s")
		if diff := gocmp.Diff([]string{"web-1"}, requested()); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		got := run(t, "workers", "refresh", "lost", "ended", "--json", "--dry-run")
		var docs []answer.RefreshWorker
		if err := json.Unmarshal([]byte(got.out), &docs); err != nil || len(docs) != 2 || docs[0].Asked || !docs[1].Asked || !docs[1].Stale || docs[1].WithinSeconds != nil {
			t.Errorf("--json: %v in\n%s", err, got.out)
		}
		exec(t, db, "UPDATE worker SET status = 'active' WHERE name LIKE 'old%'")
		want(t, run(t, "workers", "refresh", "*"), 0, "it is stale", "it is not running", "its release cannot be asked")
		if diff := gocmp.Diff([]string{"declared", "eye", "lost", "web-1", "web-2"}, requested()); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		want(t, run(t, "workers", "show", "web-1"), 0, "last asked for at")
	})
}

// TestLeastPrivilege: the reader's role is enough to ask, and the operator's to
// have workers verify anew.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	text, err := os.ReadFile(rolesFile)
	if err != nil {
		t.Fatal(err)
	}
	roles := testdb.MakeRoles(t, db, string(text))
	as := func(role string) {
		t.Helper()
		setenv(t, "ATTUNE_DATABASE_URL", roles.Login(t, "as_"+role+"_"+strings.ToLower(rand.Text()[:10]), role))
	}
	as("attune_reader")
	want(t, run(t, "workers", "list", "--has", "python", "--label", "zone=a"), 0, "web-1")
	want(t, run(t, "workers", "list", "--has", "fortran"), 0, "declared")
	want(t, run(t, "workers", "show", "web-1"), 0, "python")
	want(t, run(t, "workers", "history", "web-1"), 0, "gained")
	want(t, run(t, "explain", "web-2", "ruby"), 0, "exit_mismatch")
	want(t, run(t, "workers", "refresh", "web-1"), 1, "request refresh of workers", "permission denied", "attune_operator")
	want(t, run(t, "packs", "load", "core"), 1, "permission denied", "attune_operator")
	want(t, run(t, "packs", "load", "core", "--dry-run"), 1, "20 unchanged", "attune: would be refused: ", "permission denied", "attune_operator")
	got := run(t, "packs", "load", "core", "--dry-run", "--json")
	if want(t, got, 1, "would be refused"); !json.Valid([]byte(got.out)) {
		t.Errorf("not JSON: %s", got.out)
	}
	as("attune_operator")
	want(t, run(t, "workers", "refresh", "web-1"), 0, "within about 30s")
	want(t, run(t, "packs", "load", "core", "--dry-run"), 0, "nothing changed")
}

// TestRefreshSaysWhatCouldNotBeTold checks that refresh names what a host could not
// determine, and does not only report that nothing changed.
func TestRefreshSaysWhatCouldNotBeTold(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	isolated(t)
	uses(t, db)
	want(t, run(t, "packs", "load", "core"), 0)
	kept := python("3.12.4", "/usr/bin/python3")
	kept.UnconfirmedSince = time.Now()
	reports.Register(t, db, metadata.Worker, "web-1", &capability.Document{
		Refreshed: time.Now().Add(time.Hour), // whenever it is asked
		Detected:  []capability.Installation{kept},
		Undetected: []capability.Absence{
			{Ref: "core.go", Name: "go", Outcome: capability.Timeout, Detail: "it hangs"},
			{Ref: "core.perl", Name: "perl", Outcome: capability.NotFound, Detail: "it is not there"},
		},
	})
	want(t, run(t, "workers", "refresh", "web-1", "--wait"), 0, "verified in", "could not determine go, python")
}

// TestOperatorAndRunningWorker uses a real service, real executables, and an
// operator with access to the database only.
func TestOperatorAndRunningWorker(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolated(t)
		uses(t, db)
		want(t, run(t, "packs", "load", "core"), 0)
		bin := t.TempDir()
		onPath(t, bin)
		fake := func(name, script string) {
			t.Helper()
			path := filepath.Join(bin, name)
			if err := os.WriteFile(path+".new", []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		}
		fake("deno", "echo deno 3.11.7")
		fake("julia", "echo no julia here >&2; exit 7")
		broken := filepath.Join(getenv(t, "HOME"), ".asdf/installs/deno/3.12.4/bin")
		if err := os.MkdirAll(broken, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(broken, "deno"), []byte("#!/bin/sh\necho libssl.so.3: not there >&2\nexit 127\n"), 0o755); err != nil {
			t.Fatal(err)
		}

		// A service that says nothing of what is awaited ends, and then the test.
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		logs, to := io.Pipe()
		ended := make(chan int, 1)
		go func() {
			ended <- hostcmd.Program(metadata.Worker).Run(ctx, []string{
				"run", "--name", "web-1", "--label", "zone=a", "--heartbeat-interval", "1s", "--verify-interval", "1h",
			}, cli.Stdio{In: strings.NewReader(""), Out: to, Err: to, Environ: environ(t)})
			to.Close()
		}()
		lines := make(chan string, 1000)
		go func() {
			for scan := bufio.NewScanner(logs); scan.Scan(); {
				lines <- scan.Text()
			}
			close(lines)
		}()
		var said []string
		until := func(text string) {
			t.Helper()
			for line := range lines {
				if said = append(said, line); strings.Contains(line, text) {
					return
				}
			}
			t.Fatalf("the service ended without saying %q:\n%s", text, strings.Join(said, "\n"))
		}

		until("registered and active")
		if diff := gocmp.Diff([]string{"web-1"}, listed(t, "--has", "deno@~3.11", "--lacks", "julia", "--label", "zone=a", "--role", "worker")); diff != "" {
			t.Errorf("listed (-want +got):\n%s", diff)
		}
		want(t, run(t, "explain", "web-1", "deno@>=3.12", "--exit-code"), 3, "3.11.7 is not >=3.12", "the one that PATH leads to", "PATH       "+bin, "output     deno 3.11.7")
		want(t, run(t, "explain", "web-1", "julia", "--exit-code"), 3, "exit_mismatch", "exit code  7", "no julia here")
		want(t, run(t, "explain", "web-1", "deno@3.12", "--exit-code"), 3, "one more does not count: exit_mismatch", "asdf/installs/deno/3.12.4/bin/deno", "exit code  127", "output     libssl.so.3")

		fake("deno", "echo deno 3.12.1")
		want(t, run(t, "workers", "refresh", "has:deno", "--wait"), 0, "web-1", "verified in", ": deno 3.11.7 -> 3.12.1")
		until("version_changed")
		want(t, run(t, "explain", "web-1", "deno@>=3.12", "--exit-code"), 0, "3.12.1", "satisfies it")
		want(t, run(t, "workers", "history", "web-1", "--limit", "1"), 0, "3.11.7 -> 3.12.1")

		want(t, run(t, "workers", "refresh", "web-1", "--wait"), 0, "nothing changed")
		// One that is killed never answers; one that ended does not.
		reports.Register(t, db, metadata.Worker, "killed", &capability.Document{})
		got := run(t, "workers", "refresh", "*", "--wait", "--timeout", "3s", "--json")
		want(t, got, 1, "1 of 2 missing")
		var docs []answer.RefreshWorker
		if err := json.Unmarshal([]byte(got.out), &docs); err != nil || len(docs) != 2 ||
			docs[0].Result.Verified || !strings.Contains(docs[0].Result.Reason, "not yet: last heartbeat") || !docs[1].Result.Verified || !docs[1].Result.Changes.Empty() {
			t.Errorf("--json: %v in\n%s", err, got.out)
		}
		want(t, run(t, "workers", "refresh", "killed", "--wait", "--timeout", "1s"), 1, "killed", "not yet: last heartbeat")
		want(t, run(t, "workers", "refresh", "killed", "--wait", "--timeout", "0s"), 2, "--timeout")
		want(t, run(t, "workers", "refresh", "killed", "--wait", "--timeout", "1ms"), 1, "1 of 1 missing after 1ms")
		want(t, run(t, "workers", "refresh", "killed", "--wait", "--dry-run"), 0, "nobody was asked")
		exec(t, db, "UPDATE worker SET instance = NULL, status = 'inactive' WHERE name = 'killed'")
		want(t, run(t, "workers", "refresh", "killed", "--wait"), 0, "when it starts: it is not running")

		stop()
		if status := <-ended; status != 0 && status != cli.ExitInterrupted {
			t.Errorf("the service ended with status %d", status)
		}
		want(t, run(t, "workers", "list", "--status", "inactive"), 0, "web-1")
		want(t, run(t, "explain", "web-1", "deno"), 0, "the worker is not running")
	})
}

// TestWorkersOnATerminal: of what a worker has, as much as fits is shown whole.
func TestWorkersOnATerminal(t *testing.T) {
	t.Parallel()
	w := answer.WorkerItem{
		ID: 12, Name: "build-host-3", Role: "worker", Status: "active", Runtimes: []string{"go", "java", "node", "python"},
		RuntimeVersions: map[string][]string{"go": {"1.26.8"}, "java": {"17.0.15"}, "node": {"20.20.2"}, "python": {"3.11.2"}},
	}
	var out bytes.Buffer
	table := workersTable(nil)
	table.Row(workerCells(&w, nil)...)
	table.Print(&cli.Terminal{Writer: &out, Person: true, Width: 80})
	want := "ID  NAME          ROLE    STATUS  HEARTBEAT  RUNTIMES\n" +
		"12  build-host-3  worker  active  never      go 1.26.8, java 17.0.15, +2\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
