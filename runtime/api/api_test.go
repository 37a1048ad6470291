package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/openapi"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type workerList struct {
	Items   []answer.WorkerItem
	Next    string
	LeftOut int `json:"left_out"`
}

func (l *workerList) names() (names []string) {
	for i := range l.Items {
		names = append(names, l.Items[i].Name)
	}
	return names
}

// TestConforms checks that answers which differ from the specification are found.
func TestConforms(t *testing.T) {
	t.Parallel()
	schema := []string{"components", "schemas", "Match"}
	if err := openapi.Valid(schema, []byte(`{"version": "1.2.0", "prerelease": false, "path": "/x"}`)); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{`{}`, `{"version": 1, "prerelease": false, "path": "/x"}`, `{"version": "1.2.0", "prerelease": false, "path": "/x", "more": 1}`} {
		if openapi.Valid(schema, []byte(wrong)) == nil {
			t.Errorf("%s is valid", wrong)
		}
	}
	if openapi.Valid([]string{"components", "schemas", "Now"}, []byte(`"yesterday"`)) == nil {
		t.Error("any text is a time")
	}
}

// TestWorkers lists workers by every parameter and shows one.
func TestWorkers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		for query, want := range map[string][]string{
			"":                                 {"declared", "eye", "web-1", "web-2"},
			"name=web-*":                       {"web-1", "web-2"},
			"name=eye&name=web-1":              {"eye", "web-1"},
			"role=sensor":                      {"eye"},
			"role=sensor&role=worker":          {"declared", "eye", "web-1", "web-2"},
			"status=active&label=zone%3Da":     {"web-1"},
			"label=zone":                       {"web-1", "web-2"},
			"host=h-eye":                       {"eye"},
			"status=stale":                     nil,
			"silent=1h":                        nil,
			"has=python@%3E%3D3.12":            {"web-1"},
			"has=python&lacks=python@3.12":     {"declared", "web-2"},
			"has=python@3.13&prereleases=true": {"web-2"},
			"sort=id":                          {"web-1", "web-2", "eye", "declared"},
			"sort=version&has=python&limit=1":  {"declared"},
			"include=labels&include=versions":  {"declared", "eye", "web-1", "web-2"},
			"include=document&name=web-1":      {"web-1"},
		} {
			var list workerList
			s.get("/v1/workers?"+query, &list)
			if got := list.names(); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", query, got, want)
			}
		}
		var list workerList
		s.get("/v1/workers?has=python@3.13", &list)
		if len(list.Items) != 0 || list.LeftOut != 1 {
			t.Errorf("a pre-release is not left out: %+v", list)
		}
		s.get("/v1/workers?name=web-1", &list)
		id := url.PathEscape(idOf(&list))
		var one answer.WorkerItem
		s.get("/v1/workers/"+id, &one)
		if one.Name != "web-1" || one.Labels["zone"] != "a" || len(one.Taints) != 1 || one.Capabilities != nil ||
			!slices.Equal(one.RuntimeVersions["python"], []string{"3.12.1", "3.11.7"}) {
			t.Errorf("%+v", one)
		}
		s.get("/v1/workers/"+id+"?include=document", &one)
		if !strings.Contains(string(one.Capabilities), `"detected"`) {
			t.Errorf("no document: %s", one.Capabilities)
		}
	})
}

func idOf(list *workerList) string { return itoa(list.Items[0].ID) }

// TestPages reads a list in pages of one, by the cursor and by the link.
func TestPages(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		for _, first := range []string{
			"/v1/workers?role=worker&limit=1", "/v1/runtimes?limit=3", "/v1/runtimes/core.python/versions?limit=1", "/v1/matrix?limit=3",
			"/v1/changes?limit=2&runtime=python",
		} {
			var whole struct{ Items []map[string]any }
			s.get(strings.NewReplacer("limit=1", "limit=1000", "limit=2", "limit=1000", "limit=3", "limit=1000").Replace(first), &whole)
			var items []map[string]any
			pages := 0
			for path := first; path != ""; pages++ {
				var page struct {
					Items []map[string]any
					Next  string
				}
				got := s.get(path, &page)
				items = append(items, page.Items...)
				link, rel, _ := strings.Cut(got.Header.Get("Link"), ">; ")
				path = ""
				if page.Next != "" {
					next, err := got.Request.URL.Parse(strings.TrimPrefix(link, "<"))
					if err != nil || rel != `rel="next"` || next.Query().Get("after") != page.Next {
						t.Fatalf("%s: link %q, cursor %q", first, got.Header.Get("Link"), page.Next)
					}
					path = next.RequestURI()
				} else if link != "" {
					t.Errorf("%s: the last page has the link %q", first, link)
				}
			}
			if pages < 2 {
				t.Errorf("%s has one page only", first)
			}
			for _, list := range [][]map[string]any{items, whole.Items} {
				for _, item := range list {
					delete(item, "silent_seconds")
				}
			}
			if diff := cmp.Diff(whole.Items, items); diff != "" {
				t.Errorf("%s: the pages differ from the whole (-whole +pages):\n%s", first, diff)
			}
		}
	})
}

// TestPagesOfVersions: a page goes on behind the last version, also if no worker has it any more and another one is new.
func TestPagesOfVersions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		var list struct {
			Items []answer.VersionCount
			Next  string
		}
		s.get("/v1/runtimes/core.python/versions?limit=2", &list)
		if list.Items[1].Version != "3.12.1" {
			t.Fatalf("%+v", list)
		}
		reports.Register(t, db, metadata.Worker, "web-1", with("3.14.0"))
		reports.Register(t, db, metadata.Worker, "web-3", with("3.11.7"))
		s.get("/v1/runtimes/core.python/versions?limit=2&after="+list.Next, &list)
		if len(list.Items) != 2 || list.Items[0].Version != "3.11.7" || list.Items[1].Version != "" {
			t.Errorf("%+v", list)
		}
	})
}

// TestAnswers asks every other operation.
func TestAnswers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{Words: func(cue answer.Cue, _ *answer.WorkerState) string { return "do " + string(cue) }})
		var list workerList
		s.get("/v1/workers?name=web-2", &list)
		worker := "/v1/workers/" + idOf(&list)

		var reported struct{ Items []answer.ReportedRuntime }
		s.get(worker+"/runtimes", &reported)
		if len(reported.Items) != 2 || reported.Items[0].Version != "3.13.0-rc1" || reported.Items[1].Outcome != "exit_mismatch" {
			t.Errorf("%+v", reported.Items)
		}
		var history struct{ Items []answer.Change }
		s.get(worker+"/history?runtime=python&since=1h", &history)
		if len(history.Items) != 1 || history.Items[0].Name != "web-2" || *history.Items[0].NewVersion != "3.13.0-rc1" {
			t.Errorf("%+v", history.Items)
		}
		var e answer.Explanation
		s.get(worker+"/explain?runtime=ruby", &e)
		if e.Answer != answer.No || len(e.Helps) == 0 || len(e.Negative.Attempts) != 0 {
			t.Errorf("%+v", e)
		}
		s.get(worker+"/explain?runtime=ruby&include=evidence", &e)
		if len(e.Negative.Attempts) != 1 || e.Negative.Attempts[0].Output != "broken" {
			t.Errorf("%+v", e.Negative)
		}
		var runtime struct{ Ref, Name string }
		s.get("/v1/runtimes/core.python", &runtime)
		s.get("/v1/runtimes/core%2Epython", &runtime)
		if runtime.Ref != "core.python" {
			t.Errorf("%+v", runtime)
		}
		var versions struct{ Items []answer.VersionCount }
		s.get("/v1/runtimes/core.python/versions", &versions)
		want := []answer.VersionCount{
			{Version: "3.13.0-rc1", Prerelease: true, Workers: 1}, {Version: "3.12.1", Workers: 1}, {Version: "3.11.7", Workers: 1}, {Workers: 1},
		}
		if diff := cmp.Diff(want, versions.Items); diff != "" {
			t.Error(diff)
		}
		var placed placement.Answer
		s.get("/v1/explain?runtime=python@%3E%3D3.12&role=worker", &placed)
		if placed.Fleet != 4 || placed.Fit != 0 || len(placed.Groups) == 0 {
			t.Errorf("%+v", placed)
		}
		s.request(http.MethodPost, "/v1/place", `{"runtimes": {"python": ">=3.12"}, "tolerations": [{"key": "gpu", "operator": "exists"}]}`).into(t, &placed)
		if placed.Fit != 1 || placed.Placed[0].Name != "web-1" || placed.Placed[0].Free != 7 || placed.Requirement.Runtimes[0].Name != "core.python" {
			t.Errorf("%+v", placed)
		}
		var packs struct{ Items []struct{ Ref string } }
		s.get("/v1/packs", &packs)
		if len(packs.Items) != 1 || packs.Items[0].Ref != "core" {
			t.Errorf("%+v", packs)
		}
		var status struct {
			Workers     answer.Counts
			Definitions int
		}
		s.get("/v1/status", &status)
		if status.Workers.All != 4 || status.Workers.Active != 4 || status.Definitions != 20 {
			t.Errorf("%+v", status)
		}
		s.get("/openapi.json", nil)
		s.get("/healthz", nil)
	})
}

// TestOperate cordons and taints a worker, and lifts that.
func TestOperate(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		do := func(operation, body string, changed bool) {
			t.Helper()
			var report answer.OperationReport
			got := s.request(http.MethodPost, "/v1/workers/1/"+operation, body)
			got.into(t, &report)
			if len(report.Workers) != 1 || report.Workers[0].Name != "web-1" || report.Workers[0].Changed != changed {
				t.Errorf("%s: %s", operation, got.body)
			}
		}
		var one, after answer.WorkerItem
		do("cordon", `{"reason": "new disk"}`, true)
		do("cordon", `{}`, false)
		do("taint", `{"key": "slow", "value": "disk", "effect": "prefer_no_schedule"}`, true)
		s.get("/v1/workers/1", &one)
		if one.Cordon == nil || one.Cordon.Reason != "new disk" || len(one.OperatorTaints) != 1 || one.OperatorTaints[0].Key != "slow" {
			t.Errorf("%+v", one.Operations)
		}
		do("uncordon", "", true)
		do("untaint", `{"key": "slow"}`, true)
		do("untaint", `{"key": "slow"}`, false)
		s.get("/v1/workers/1", &after)
		if after.Cordon != nil || len(after.OperatorTaints) != 0 {
			t.Errorf("%+v", after.Operations)
		}
		for body, word := range map[string]string{
			`{"resaon": "x"}`: `"pointer":"/resaon"`, `[]`: "must be an object", `{"reason": "` + strings.Repeat("x", 1025) + `"}`: "1024",
		} {
			s.refused(s.request(http.MethodPost, "/v1/workers/1/cordon", body), http.StatusBadRequest, api.InvalidRequest, word)
		}
		s.refused(s.request(http.MethodPost, "/v1/workers/1/taint", `{"key": "a", "effect": "never"}`), http.StatusBadRequest, api.InvalidRequest)
		s.refused(s.request(http.MethodPost, "/v1/workers/999/cordon", `{}`), http.StatusNotFound, api.NotFound)
	})
}

// TestMatrix shows what each worker reported about some runtimes, and counts by group.
func TestMatrix(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		var m answer.Matrix
		s.get("/v1/matrix?runtime=python&runtime=ruby", &m)
		got := map[string][]answer.Cell{}
		for _, row := range m.Items {
			got[row.Name] = row.Cells
		}
		want := map[string][]answer.Cell{
			"declared": {{State: answer.CellAvailable}, {State: answer.CellUnasked}},
			"eye":      {{State: answer.CellUnknown, Outcome: "timeout"}, {State: answer.CellUnasked}},
			"web-1":    {{State: answer.CellAvailable, Version: "3.12.1", Others: 1}, {State: answer.CellUnasked}},
			"web-2":    {{State: answer.CellAvailable, Version: "3.13.0-rc1"}, {State: answer.CellAbsent, Outcome: "exit_mismatch"}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		s.get("/v1/matrix", &m)
		if len(m.Runtimes) != 20 || len(m.Items[0].Cells) != 20 {
			t.Errorf("%d runtimes", len(m.Runtimes))
		}
		for by, want := range map[string]map[string][2]int{
			"label:zone": {"a": {1, 1}, "b": {1, 1}, "": {2, 1}},
			"role":       {"worker": {3, 3}, "sensor": {1, 0}},
			"status":     {"active": {4, 3}},
		} {
			var groups answer.MatrixGroups
			s.get("/v1/matrix/groups?by="+url.QueryEscape(by), &groups)
			column := slices.IndexFunc(groups.Runtimes, func(c answer.Column) bool { return c.Ref == "core.python" })
			got := map[string][2]int{}
			for _, g := range groups.Items {
				name := ""
				if g.Group != nil {
					name = *g.Group
				}
				got[name] = [2]int{g.Workers, g.Available[column]}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", by, diff)
			}
		}
	})
}

// TestMatrixAbsences: a runtime without a row is absent where the worker looked for it, and not where its rows were cut.
func TestMatrixAbsences(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		document := func(source capability.Source, read time.Time, detected ...capability.Installation) *capability.Document {
			return &capability.Document{Source: source, Definitions: &capability.Definitions{Read: read}, Detected: detected}
		}
		python, later := reports.Python("3.12.1", "/usr/bin/python3"), time.Now().Add(time.Hour)
		many := []capability.Installation{{
			Ref: "core.ruby", Name: "ruby", Version: "3.1.0", Path: "/usr/bin/ruby", Outcome: capability.Available, Source: capability.Verified,
		}}
		for i := range 520 {
			many = append(many, reports.Python(fmt.Sprintf("3.12.%d", i), fmt.Sprintf("/python%d", i)))
		}
		reports.Register(t, db, metadata.Worker, "x-asked", document(capability.SourceDatabase, later, python))
		reports.Register(t, db, metadata.Worker, "x-before", document(capability.SourceDatabase, time.Unix(1e9, 0), python))
		reports.Register(t, db, metadata.Worker, "x-config", document(capability.SourceConfig, later, python))
		reports.Register(t, db, metadata.Worker, "x-many", document(capability.SourceDatabase, later, many...))
		var m answer.Matrix
		start(t, db, api.Config{}).get("/v1/matrix?runtime=python&runtime=ruby&name=x-*", &m)
		got := map[string]answer.Cell{}
		for _, row := range m.Items {
			got[row.Name] = row.Cells[1]
		}
		want := map[string]answer.Cell{
			"x-asked": {State: answer.CellAbsent, Outcome: capability.NotFound}, "x-before": {State: answer.CellUnasked},
			"x-config": {State: answer.CellUnasked}, "x-many": {State: answer.CellUnasked},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestRefusals: a wrong request is refused with all its faults, and nothing is answered in its place.
func TestRefusals(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db, api.Config{})
	for path, words := range map[string][]string{
		"/v1/workers?nmae=x":                              {`"parameter":"nmae"`, "unknown parameter; known are after, has"},
		"/v1/workers?rolle=x&limti=3":                     {`"parameter":"rolle"`, `"parameter":"limti"`},
		"/v1/workers?role=x&status=y":                     {`"parameter":"role"`, `"parameter":"status"`, "must be one of worker, sensor"},
		"/v1/workers?has=nothing&lacks=python@x&silent=z": {`"parameter":"has"`, `"parameter":"lacks"`, `"parameter":"silent"`},
		"/v1/workers?limit=0":                             {"from 1 to 1000"},
		"/v1/workers?limit=1001":                          {"from 1 to 1000"},
		"/v1/workers?limit=x":                             {`"parameter":"limit"`},
		"/v1/workers?limit=1&limit=2":                     {"must be given once"},
		"/v1/workers?after=x":                             {"cursor of this query"},
		"/v1/workers?sort=version":                        {"needs has or lacks"},
		"/v1/workers?id=x":                                {`"parameter":"id"`},
		"/v1/workers/x":                                   {`"parameter":"id"`},
		"/v1/workers/1/explain":                           {`"parameter":"runtime"`, "must be given"},
		"/v1/workers/1/explain?runtime=python@x":          {`"parameter":"runtime"`},
		"/v1/workers/1/explain?runtime=pyhton":            {"did you mean python"},
		"/v1/workers/1/history?since=x":                   {`"parameter":"since"`},
		"/v1/changes?wait=61s":                            {"at most 1m0s"},
		"/v1/changes?from=-1":                             {"at least 0"},
		"/v1/changes?from=0&since=1h":                     {"cannot be given with"},
		"/v1/matrix/groups?by=zone":                       {`"parameter":"by"`},
		"/v1/matrix?runtime=x&runtime=python@3":           {"no runtime", "without versions"},
		"/v1/workers?name=%zz":                            {"percent-encoded"},
	} {
		s.refused(s.request(http.MethodGet, path, ""), http.StatusBadRequest, api.InvalidRequest, words...)
	}
	for body, words := range map[string][]string{
		`{"runtimes": {"python": "x", "ruby": "~"}, "slots": 0, "rolle": 1}`: {"/runtimes/python", "/runtimes/ruby", "/slots", "did you mean role"},
		`{"runtimes": {"nothing": "*"}}`:                                     {"nothing"},
		`{} {}`:                                                              {"one JSON document"},
		`[`:                                                                  {"one JSON document"},
		strings.Repeat("[", 20_000):                                          {"one JSON document"},
	} {
		s.refused(s.request(http.MethodPost, "/v1/place", body), http.StatusBadRequest, api.InvalidRequest, words...)
	}
	s.refused(s.request(http.MethodPost, "/v1/place", strings.Repeat(" ", 65<<10)), http.StatusRequestEntityTooLarge, api.TooLarge)
	s.refused(s.request(http.MethodPost, "/v1/place", "{}", "Content-Type", "text/plain"), http.StatusUnsupportedMediaType, api.UnsupportedMediaType)
	for _, path := range []string{"/v1/workers/999", "/v1/workers/999/runtimes", "/v1/workers/999/history", "/v1/workers/999/explain?runtime=python", "/v1/runtimes/x.y", "/v1/runtimes/x.y/versions", "/v2", "/", "/v1/workers/", "//v1/workers", "/v1/../v1/workers"} {
		s.refused(s.request(http.MethodGet, path, ""), http.StatusNotFound, api.NotFound)
	}
	got := s.request(http.MethodDelete, "/v1/workers", "")
	s.refused(got, http.StatusMethodNotAllowed, api.MethodNotAllowed)
	if allow := got.Header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow: %q", allow)
	}
	if log := s.log.String(); log != "" {
		t.Errorf("refusals are no failures of the server:\n%s", log)
	}
}

// TestCursorsOfOthers checks that a cursor belongs to its list: the matrix of the same workers goes on where their list ends, and
// other queries refuse it.
func TestCursorsOfOthers(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db, api.Config{})
	var page struct{ Next string }
	s.get("/v1/workers?limit=1&role=worker", &page)
	var list, rows struct{ Items []struct{ ID int64 } }
	s.get("/v1/workers?limit=2&role=worker&after="+page.Next, &list)
	s.get("/v1/matrix?limit=2&role=worker&runtime=core.python&after="+page.Next, &rows)
	if len(list.Items) != 2 || !slices.Equal(list.Items, rows.Items) {
		t.Errorf("the list goes on with %v, the matrix with %v", list.Items, rows.Items)
	}
	s.get("/v1/workers?has=core.python&limit=1", &page)
	s.get("/v1/matrix?has=python&after="+page.Next, nil)
	for _, path := range []string{
		"/v1/matrix?has=python@>%3D3&after=", "/v1/matrix?has=python&prereleases=true&after=", "/v1/matrix?lacks=python&after=", "/v1/matrix?after=",
	} {
		s.refused(s.request(http.MethodGet, path+page.Next, ""), http.StatusBadRequest, api.InvalidRequest, "cursor of this query")
	}
	s.get("/v1/workers?limit=1&role=worker", &page)
	for _, path := range []string{"/v1/workers?role=sensor&after=", "/v1/workers?after=", "/v1/matrix?role=sensor&after=", "/v1/runtimes?after=", "/v1/workers?sort=id&role=worker&after="} {
		s.refused(s.request(http.MethodGet, path+page.Next, ""), http.StatusBadRequest, api.InvalidRequest, "cursor of this query")
	}
}

// TestOperateMany cordons a selection, in one transaction with one row of the audit.
func TestOperateMany(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		do := func(path, body string, changed ...string) {
			t.Helper()
			var report answer.OperationReport
			s.request(http.MethodPost, path, body).into(t, &report)
			var got []string
			for _, w := range report.Workers {
				if w.Changed {
					got = append(got, w.Name)
				}
			}
			if !slices.Equal(got, changed) {
				t.Errorf("%s: %q changed, want %q", path, got, changed)
			}
		}
		do("/v1/operations?name=web-*&dry_run=true", `{"operation": "cordon"}`, "web-1", "web-2")
		do("/v1/operations?name=web-*", `{"operation": "cordon", "reason": "new disk"}`, "web-1", "web-2")
		do("/v1/operations?role=worker", `{"operation": "cordon"}`, "declared")
		do("/v1/operations?name=nobody", `{"operation": "cordon"}`)
		do("/v1/operations?has=python@3.12", `{"operation": "taint", "taint": {"key": "slow", "effect": "no_schedule"}}`, "web-1")
		for body, word := range map[string]string{
			`{"operation": "drain"}`: "cordon, uncordon, taint or untaint", `{"operation": "taint", "taint": {"key": "", "effect": "no_schedule"}}`: "key",
			`{"operation": "cordon", "worker": 1}`: "unknown key", `{"operation": "taint"}`: "key",
		} {
			s.refused(s.request(http.MethodPost, "/v1/operations?id=1", body), http.StatusBadRequest, api.InvalidRequest, word)
		}
		s.refused(s.request(http.MethodPost, "/v1/operations?nmae=x", `{"operation": "cordon"}`), http.StatusBadRequest, api.InvalidRequest, "nmae")
		var refreshes struct{ Items []answer.RefreshWorker }
		s.request(http.MethodPost, "/v1/refreshes?name=web-*", "").into(t, &refreshes)
		if len(refreshes.Items) != 2 || !refreshes.Items[0].Asked {
			t.Errorf("%+v", refreshes)
		}
		audits, err := s.store.Audits.List(t.Context(), 0)
		var rows []string
		for i := range audits {
			rows = append(rows, audits[i].Operation+" "+audits[i].Subject)
		}
		want := []string{"refreshWorkers 2 workers", "operateWorkers worker 1", "operateWorkers 3 workers", "operateWorkers 2 workers"}
		if diff := cmp.Diff(want, rows); err != nil || diff != "" {
			t.Errorf("%v: the audit (-want +got):\n%s", err, diff)
		}
	})
}

// TestNewQuestions compares two workers, and counts the workers of actions.
func TestNewQuestions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		etl := fixtures.Pack(t.Context(), t, db, fixtures.PackOpts{Ref: new("etl")})
		python, err := store.New(db, store.Config{Schema: db.Schema}).Runtimes.ByRef(t.Context(), "core.python")
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range []string{"etl.b", "etl.a", "etl.c"} {
			fixtures.Action(t.Context(), t, db, fixtures.ActionOpts{Ref: &ref, Pack: etl, Runtime: python})
		}
		fixtures.Action(t.Context(), t, db, fixtures.ActionOpts{Ref: new("etl.any"), Pack: etl})
		fixtures.Sensor(t.Context(), t, db, fixtures.SensorOpts{Ref: new("etl.watch"), Pack: etl, Runtime: python})
		s := start(t, db, api.Config{})
		type subjects struct {
			Fleet int
			Items []answer.SubjectCount
			Next  string
		}
		var refs []string
		for after := ""; ; {
			var page subjects
			s.get("/v1/actions?pack=etl&limit=2"+after, &page)
			for _, item := range page.Items {
				refs = append(refs, item.Ref+" "+strconv.Itoa(item.Fit))
			}
			if page.Fleet != 4 {
				t.Errorf("%+v", page)
			}
			if page.Next == "" {
				break
			}
			after = "&after=" + page.Next
		}
		if want := []string{"etl.a 1", "etl.b 1", "etl.c 1", "etl.any 1"}; !slices.Equal(slices.Sorted(slices.Values(refs)), slices.Sorted(slices.Values(want))) {
			t.Errorf("got %q, want %q", refs, want)
		}
		var sensors subjects
		s.get("/v1/sensors?ref=etl.watch", &sensors)
		if len(sensors.Items) != 1 || sensors.Items[0].Fit != 0 || sensors.Items[0].Requirement.Role != "sensor" {
			t.Errorf("%+v", sensors)
		}
		s.get("/v1/sensors?ref=nothing", &sensors)
		if len(sensors.Items) != 0 {
			t.Errorf("%+v", sensors)
		}
		var d answer.Difference
		s.get("/v1/workers/1/diff?with=2", &d)
		if d.A.Name != "web-1" || d.B.Name != "web-2" || len(d.Runtimes) == 0 {
			t.Errorf("%+v", d)
		}
		s.refused(s.request(http.MethodGet, "/v1/workers/1/diff?with=999", ""), http.StatusNotFound, api.NotFound)
		var found answer.Consequences
		s.request(http.MethodPost, "/v1/what-if", `{"changes": ["without declared", "ruby min 3"]}`).into(t, &found)
		if len(found.Effects) != 5 || !found.Effects[0].Stranded || found.Changes[1] != "core.ruby min 3.0.0" {
			t.Errorf("%+v", found)
		}
		for body, words := range map[string][]string{
			`{"changes": []}`: {"from 1 to 100"}, `{"changes": ["drop it", "pyhton min 3"]}`: {"/changes/0", "/changes/1"},
			`{"changes": ["without nobody"]}`: {"nobody"}, `{"changes": "x"}`: {`"pointer":"/changes"`, "must not be a JSON string"}, `{"changes": [1]}`: {"/changes"},
		} {
			s.refused(s.request(http.MethodPost, "/v1/what-if", body), http.StatusBadRequest, api.InvalidRequest, words...)
		}
		var placed placement.Answer
		s.request(http.MethodPost, "/v1/place?include=hosts&limit=0", `{}`).into(t, &placed)
		if len(placed.Hosts) != 4 {
			t.Errorf("%+v", placed)
		}
		var list workerList
		s.get("/v1/workers?has=python@3.12&lacks=ruby&include=answers&include=counts", &list)
		if len(list.Items) != 1 || len(list.Items[0].Answers) != 2 || list.Items[0].Answers[0].State != answer.AnswerFits {
			t.Errorf("%+v", list.Items)
		}
		for name, want := range map[string]string{"Python3": "core.python", "fortran": "", "nothing": "none"} {
			var runtimes struct{ Items []answer.RuntimeRow }
			s.get("/v1/runtimes?include=definition&name="+name, &runtimes)
			switch {
			case want == "none" && len(runtimes.Items) == 0:
			case len(runtimes.Items) != 1 || runtimes.Items[0].Ref != want || (runtimes.Items[0].Definition != nil) != (want != ""):
				t.Errorf("%s: %+v", name, runtimes.Items)
			}
		}
	})
}
