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
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// following runs a command that goes on, and gives its lines.
func following(t *testing.T, args ...string) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, to := io.Pipe()
	ended := make(chan int, 1)
	var said strings.Builder
	go func() {
		ended <- program().Run(ctx, args, cli.Stdio{In: strings.NewReader(""), Out: to, Err: &said})
		to.Close()
	}()
	t.Cleanup(func() {
		cancel()
		go io.Copy(io.Discard, out)
		if status := <-ended; status != 0 || said.Len() > 0 {
			t.Errorf("%q ended with %d:\n%s", args, status, said.String())
		}
	})
	lines := bufio.NewScanner(out)
	return func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("%q ended", args)
		}
		return lines.Text()
	}
}

func TestFollow(t *testing.T) {
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
			reported(t, db, role, name, &capability.Document{Detected: []capability.Installation{python("3.14.0", "/usr/bin/python3")}})
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
