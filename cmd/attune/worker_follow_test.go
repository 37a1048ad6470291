package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// following runs a command that goes on, and gives its lines.
func following(t *testing.T, args ...string) (next func() string) {
	t.Helper()
	f := follow(t, args...)
	t.Cleanup(func() {
		if status := f.end(true); status != 0 || f.errOut.String() != "" {
			t.Errorf("%q ended with %d:\n%s", args, status, f.errOut)
		}
	})
	return f.next
}

// A follower is a command that goes on.
type follower struct {
	// next returns the next line.
	next   func() string
	errOut *output
	// end waits until the command ends, and with stops it before.
	end func(stops bool) (status int)
}

// follow runs a command that goes on.
func follow(t *testing.T, args ...string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, to := io.Pipe()
	ended := make(chan int, 1)
	f := &follower{errOut: new(output)}
	go func() {
		ended <- program().Run(ctx, args, cli.Stdio{In: strings.NewReader(""), Out: to, Err: f.errOut, Environ: environ(t)})
		to.Close()
	}()
	f.end = func(stops bool) int {
		defer cancel()
		if stops {
			cancel()
		}
		go io.Copy(io.Discard, out)
		return <-ended
	}
	lines := bufio.NewScanner(out)
	f.next = func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("%q ended:\n%s", args, f.errOut)
		}
		return lines.Text()
	}
	return f
}

func TestFollow(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		all := following(t, "workers", "history", "--follow", "--after", "0", "--runtime", "python")
		for _, worker := range []string{"web-1", "web-1", "web-2", "declared", "lost"} {
			if line := all(); !strings.Contains(line, "  "+worker+"  worker  gained  python  ") {
				t.Errorf("%q, want a gain of %s", line, worker)
			}
		}
		last, err := stored(db).Changes.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		one := following(t, "workers", "history", "web-*", "-f", "--json", "--role", "worker", "--after", fmt.Sprint(last))
		gains := func(role metadata.Role, name string) {
			reports.Register(t, db, role, name, &capability.Document{Detected: []capability.Installation{python("3.14.0", "/usr/bin/python3")}})
		}
		gains(metadata.Sensor, "web-1")
		gains(metadata.Worker, "late")
		gains(metadata.Worker, "web-9")
		for _, want := range []string{"  web-1  sensor  gained  python  3.14.0  ", "  late  worker  gained  ", "  web-9  worker  "} {
			if line := all(); !strings.Contains(line, want) {
				t.Errorf("%q lacks %q", line, want)
			}
		}
		var doc answer.Change
		if err := json.Unmarshal([]byte(one()), &doc); err != nil || doc.Name != "web-9" || doc.Role != "worker" || doc.ID <= last {
			t.Errorf("got %+v, %v; want the gain of web-9", doc, err)
		}

		want(t, run(t, "workers", "history"), 0, "web-1", "web-2")
		want(t, run(t, "workers", "history", "web-1", "--after", "1"), 2, "--after goes with --follow")
		want(t, run(t, "workers", "history", "-f", "--limit", "1"), 2, "shows future changes")
		want(t, run(t, "workers", "history", "-f", "--after=-1"), 2, "--after must be at least 0, got -1")
		want(t, run(t, "workers", "history", "-f", "web-3"), 1, "did you mean web-")
	})
}

func TestFollowOnATerminal(t *testing.T) {
	t.Parallel()
	cells := func(texts ...string) (cells []cli.Cell) {
		for _, text := range texts {
			cells = append(cells, cli.Cell{Text: text})
		}
		return cells
	}
	first := cells("7", "2026-02-03T10:00:00Z", "web-1", "worker", "gained", "python", "3.12.1", "-")
	second := cells("8", "2026-02-03T10:00:05Z", "größer\x1b", "sensor", "version_changed", "go", "1.25.0 -> 1.26.0", "-")
	third := cells("9", "2026-02-03T10:00:09Z", "web-1", "worker", "lost", "go", "1.26.0", "not found any more")
	var terminal, narrow, pipe bytes.Buffer
	for _, out := range []*cli.Terminal{{Writer: &terminal, Person: true, Width: 120}, {Writer: &narrow, Person: true, Width: 80}, {Writer: &pipe}} {
		lines := changesTable().Stream(out, changeWidths())
		for _, row := range [][]cli.Cell{first, second, third} {
			lines.Row(slices.Clone(row)...)
		}
	}
	want := "  ID  WHEN                  NAME          ROLE    CHANGE           RUNTIME   VERSION   DETAIL\n" +
		"   7  2026-02-03T10:00:00Z  web-1         worker  gained           python    3.12.1    -\n" +
		`   8  2026-02-03T10:00:05Z  größer\x1b    sensor  version_changed  go        1.25.0 -> 1.26.0  -` + "\n" +
		"   9  2026-02-03T10:00:09Z  web-1         worker  lost             go        1.26.0            not found any more\n"
	if diff := gocmp.Diff(want, terminal.String()); diff != "" {
		t.Errorf("on a terminal (-want +got):\n%s", diff)
	}
	for line := range strings.Lines(narrow.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("on 80 columns a line has %d: %q", n, line)
		}
	}
	if text := narrow.String(); !strings.Contains(text, "not found any more\n") || !strings.Contains(text, "1.25.0 -> 1.26.0") {
		t.Errorf("on 80 columns something is cut:\n%s", text)
	}
	if line, _, _ := strings.Cut(pipe.String(), "\n"); line != "7  2026-02-03T10:00:00Z  web-1  worker  gained  python  3.12.1  -" {
		t.Errorf("in a pipe: got\n%s", pipe.String())
	}
}
