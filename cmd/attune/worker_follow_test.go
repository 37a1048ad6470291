package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
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
			reported(t, db, role, name, &detect.Capabilities{Detected: []detect.Detection{python("3.14.0", "/usr/bin/python3")}})
		}
		gains(metadata.Sensor, "web-1")
		gains(metadata.Worker, "late")
		gains(metadata.Worker, "web-9")
		for _, want := range []string{"  web-1  sensor  gained  python  3.14.0  ", "  late  worker  gained  ", "  web-9  worker  "} {
			if line := all(); !strings.Contains(line, want) {
				t.Errorf("%q lacks %q", line, want)
			}
		}
		var doc changeDoc
		if err := json.Unmarshal([]byte(one()), &doc); err != nil || doc.Name != "web-9" || doc.Role != "worker" || doc.ID <= last {
			t.Errorf("got %+v, %v; want the gain of web-9", doc, err)
		}

		want(t, run(t, "workers", "history"), 2, "say whose history, or --follow all")
		want(t, run(t, "workers", "history", "web-1", "--after", "1"), 2, "--after goes with --follow")
		want(t, run(t, "workers", "history", "-f", "--limit", "1"), 2, "what is to come")
		want(t, run(t, "workers", "history", "-f", "--after=-1"), 2, "negative")
		want(t, run(t, "workers", "history", "-f", "web-3"), 1, "did you mean web-")
	})
}
