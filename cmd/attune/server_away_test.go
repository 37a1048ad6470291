package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// TestServerEndsAmidList: a list whose server goes away behind its first page fails. Its rows are whole, and a JSON list has no end
// that could be taken for the list's.
func TestServerEndsAmidList(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	for _, insert := range []string{
		`INSERT INTO worker (name, worker_type, worker_role) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
			SELECT 'many-' || i, 'local', 'action' FROM n`,
		`INSERT INTO capability_change (worker_name, worker_role, runtime_ref, name, kind)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
			SELECT 'many-' || i, 'action', 'core.python', 'python', 'lost' FROM n`,
	} {
		if _, err := db.ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t)
	token := s.wait(`for this run: (\S+)`)
	at, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(http.ResponseWriter, []byte){
		"cut off": func(http.ResponseWriter, []byte) { panic(http.ErrAbortHandler) },
		"half a page": func(w http.ResponseWriter, page []byte) {
			_, _ = w.Write(page[:len(page)/2])
			panic(http.ErrAbortHandler)
		},
		"a proxy's":    func(w http.ResponseWriter, _ []byte) { http.Error(w, "<html>", http.StatusBadGateway) },
		"another page": func(w http.ResponseWriter, _ []byte) { _, _ = io.WriteString(w, "<html>") },
	} {
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }}
		between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if q := r.URL.Query(); !q.Has("after") && !q.Has("before") {
				proxy.ServeHTTP(w, r)
				return
			}
			page := httptest.NewRecorder()
			proxy.ServeHTTP(page, r)
			end(w, page.Body.Bytes())
		}))
		t.Cleanup(between.Close)
		setenv(t, "ATTUNE_TOKEN", token)
		for _, command := range []string{"workers list", "workers history --limit 0"} {
			for _, format := range []string{"table", "json", "ndjson", "csv"} {
				got := run(t, append(strings.Fields(command), "--output", format, "--server", between.URL)...)
				if got.status != 1 || !strings.Contains(got.errOut, " of "+between.URL+": ") && !strings.Contains(got.errOut, " in "+between.URL+": ") {
					t.Errorf("%s as %s: %s: ended with %d\n%s", command, format, name, got.status, got.errOut)
				}
				rows, err := 0, error(nil)
				switch format {
				case "json":
					if rows = strings.Count(got.out, `"id":`); json.Valid([]byte(got.out)) {
						t.Errorf("%s: %s: a part of the list is valid JSON", command, name)
					}
				case "ndjson":
					for line := range strings.Lines(got.out) {
						if rows++; !json.Valid([]byte(line)) {
							t.Fatalf("%s: %s: %s", command, name, line)
						}
					}
				case "csv":
					var all [][]string
					all, err = csv.NewReader(strings.NewReader(got.out)).ReadAll()
					rows = len(all) - 1
				default:
					rows = strings.Count(got.out, "\n") - 1
				}
				// JSON ends amid a row.
				if rows > 1000 || rows < 1000 && (format != "json" || rows == 0) || err != nil {
					t.Errorf("%s as %s: %s: %d rows, want the 1000 of the first page: %v", command, format, name, rows, err)
				}
			}
		}
	}
}

// TestFollowAcrossRestart: what follows through a server goes on when the server has been away, and misses nothing.
func TestFollowAcrossRestart(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		setenv(t, "ATTUNE_TOKEN", strings.TrimSpace(run(t, "tokens", "create", "reader").out))
		address := freeAddress(t)
		gain := func(name string) {
			t.Helper()
			reports.Register(t, db, metadata.Worker, name, &capability.Document{Detected: []capability.Installation{python("3.14.0", "/usr/bin/python3")}})
		}
		first := serve(t, "--listen", address)
		first.ready()
		last, err := stored(db).Changes.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f := follow(t, "workers", "history", "--watch", "--after", strconv.FormatInt(last, 10), "--output", "ndjson", "--server", "http://"+address)
		next := func(name string) {
			t.Helper()
			if line := f.next(); !strings.Contains(line, `"name":"`+name+`"`) {
				t.Fatalf("%q, want a change of %s", line, name)
			}
		}
		gain("before")
		next("before")
		if status := first.end(); status != 0 {
			t.Errorf("the server ended with %d", status)
		}
		gain("away")
		(&serving{t: t, errOut: f.errOut}).wait("changes may be late.*cannot be reached")
		serve(t, "--listen", address)
		next("away")
		gain("after")
		next("after")
		if status := f.end(true); status != 0 {
			t.Errorf("ended with %d\n%s", status, f.errOut)
		}
	})
}
