package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/openapi"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
)

// TestRefusedBodies: a body with a fault is refused before a worker is looked for and before the audit.
func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		for _, c := range []struct{ path, body, say string }{
			{"/v1/operations?name=nobody", `{}`, "/operation"},
			{"/v1/operations?name=nobody", `{"operation": "reboot"}`, "reboot"},
			{"/v1/operations?name=nobody", `{"operation": "taint"}`, "/taint"},
			{"/v1/operations?name=nobody", `{"operation": "untaint", "taint": {"key": ""}}`, "/taint"},
			{"/v1/operations?name=nobody", `{"operation": "cordon", "reason": "a\u0000"}`, "/reason"},
			{"/v1/workers/1/cordon", `{"reason": "a\u0000"}`, "/reason"},
			{"/v1/workers/1/taint", `{"key": "a\u0000"}`, "control"},
			{"/v1/workers/1/untaint", `{"key": "a\u0000"}`, "control"},
			{"/v1/workers/1/untaint", `{"key": ""}`, "key"},
			{"/v1/workers/1/untaint", `{"key": "a", "effect": "bogus"}`, "effect"},
			{"/v1/place", `null`, "object"},
			{"/v1/place", `[]`, "object"},
			{"/v1/operations", `{"operation": "cordon"}`, "name=*"},
			{"/v1/refreshes", "", "name=*"},
			{"/v1/operations", `{"operation": "cordon", "ids": []}`, "name=*"},
			{"/v1/operations", `{"operation": "cordon", "ids": [` + strings.Repeat("1, ", 5_000) + `1]}`, `"pointer":"/ids"`},
			{"/v1/operations?id=1", `{"operation": "taint", "taint": {"key": "a", "effect": "no_schedule", "efect": "x", "a/b": 1}}`, `{"message":"unknown key; known are effect, key, value","pointer":"/taint/a~1b"},{"message":"unknown key; known are effect, key, value","pointer":"/taint/efect"}`},
			{"/v1/operations?id=1", `{"operation": "cordon", "taint": {"Key": 1}}`, `"pointer":"/taint/Key"`},
			{"/v1/operations?id=1", `{"operation": "cordon", "ids": [{"a": 1}]}`, "/ids"},
			{"/v1/place", `{"affinity": {"preferred": [{"weight": 1, "term": {"x": 1}}]}}`, `"pointer":"/affinity/preferred/0/term/x"`},
			{"/v1/place", `{"tolerations": [{"key": "gpu", "operator": "exists", "x": 1}]}`, `"pointer":"/tolerations/0/x"`},
			{"/v1/what-if", `{"changes": ["without web-1"], "pakc": "etl"}`, `"pointer":"/pakc"`},
			{"/v1/workers", "nmae=x&name=web-1", `"parameter":"nmae"`},
			{"/v1/workers", "name=%zz", "percent-encoded"},
			{"/v1/workers", strings.Repeat("id=1&", 5_001), "at most 5000 names"},
			{"/v1/workers", strings.Repeat("name=*&", 201), "at most 200 other"},
			{"/v1/workers?name=web-1", "name=web-1", "unknown parameter"},
		} {
			got := s.request(http.MethodPost, c.path, c.body)
			s.refused(got, http.StatusBadRequest, api.InvalidRequest, c.say)
			if strings.Contains(string(got.body), "SQLSTATE") || strings.Contains(string(got.body), "audit") {
				t.Errorf("%s tells about the database: %s", c.path, got.body)
			}
		}
		// encoding/json refuses deeper documents.
		for _, nested := range []string{strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000), strings.Repeat(`{"":`, 9_000) + "1" + strings.Repeat("}", 9_000)} {
			for path, bodies := range map[string][]string{
				"/v1/operations?id=1": {`{"operation": "cordon", "reason": %}`, `{"operation": "taint", "taint": {"key": "a", "value": %}}`, `{"operation": "cordon", "ids": %}`},
				"/v1/what-if":         {`{"changes": %}`, `{"changes": ["without web-1"], "pack": %}`},
				"/v1/place":           {`{"affinity": %}`, `{"selector": %}`, `{"tolerations": %}`, `{"runtimes": %}`, `{"affinity": {"required": [%]}}`},
				"/v1/workers/1/taint": {`{"key": %}`}, "/v1/workers/1/untaint": {`{"key": %}`}, "/v1/workers/1/cordon": {`{"reason": %}`},
			} {
				for _, body := range bodies {
					body = strings.Replace(body, "%", nested, 1)
					if !json.Valid([]byte(body)) {
						t.Fatal("the body must be a document")
					}
					s.refused(s.request(http.MethodPost, path, body), http.StatusBadRequest, api.InvalidRequest)
				}
			}
		}
		audits, err := s.store.Audits.List(t.Context(), 0)
		if err != nil || len(audits) > 0 {
			t.Errorf("%v: the audit has %+v", err, audits)
		}
	})
}

// TestRefusedValues: an empty or impossible value of a parameter is refused, also for a stream.
func TestRefusedValues(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db, api.Config{Limits: api.Limits{Burst: 1e6}})
	for _, e := range endpoints(t) {
		path, _, _ := strings.Cut(e.path, "?")
		described, _ := openapi.At(openapi.Document(), "paths", openapi.TemplateOf(path), strings.ToLower(e.method), "parameters")
		list, _ := described.([]any)
		for _, p := range list {
			if ref, ok := openapi.At(p, "$ref"); ok {
				p, _ = openapi.At(openapi.Document(), strings.Split(strings.TrimPrefix(ref.(string), "#/"), "/")...)
			}
			if in, _ := openapi.At(p, "in"); in == "query" {
				name, _ := openapi.At(p, "name")
				s.refused(s.request(e.method, path+"?"+name.(string)+"=", e.body), http.StatusBadRequest, api.InvalidRequest, name.(string))
			}
		}
	}
	for _, query := range []string{"before=0", "limit=0", "limit=99999", "wait=bogus", "wait=2h", "from=-1"} {
		for _, accept := range []string{"application/json", "text/event-stream"} {
			name, _, _ := strings.Cut(query, "=")
			s.refused(s.request(http.MethodGet, "/v1/changes?"+query, "", "Accept", accept), http.StatusBadRequest, api.InvalidRequest, name)
		}
	}
	const whole = "must be a whole number"
	got := s.request(http.MethodGet, "/v1/changes?limit=ten&before=99999999999999999999&bogus=1", "")
	s.refused(got, http.StatusBadRequest, api.InvalidRequest, `"bogus"`, whole+` of at most 64 bits, got \"ten\"`, `"before"`)
	s.refused(s.request(http.MethodGet, "/v1/workers?prereleases=maybe&limit=0&id=x", ""), http.StatusBadRequest, api.InvalidRequest,
		"must be true or false", "must be from 1 to 1000", `"id"`)
	for _, path := range []string{"/v1/workers/x", "/v1/workers/99999999999999999999"} {
		s.refused(s.request(http.MethodGet, path, ""), http.StatusBadRequest, api.InvalidRequest, whole, `"id"`)
	}
	s.refused(s.request(http.MethodGet, "/v1/changes", "", "Accept", "text/event-stream", "Last-Event-ID", "x"),
		http.StatusBadRequest, api.InvalidRequest, whole, "Last-Event-ID")
	for _, accept := range []string{"text/event-stream;q=0", "text/event-stream; q=0.0, application/json"} {
		if got := s.request(http.MethodGet, "/v1/changes?limit=1", "", "Accept", accept); got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s", accept, got.Header.Get("Content-Type"))
		}
	}
}

// TestQuery: the parameters of a list can stand in a body, and its cursors are those of the list.
func TestQuery(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		s.scope = api.Read
		many := strings.Repeat("name=nobody&", 4_900) + "name=web-2&name=web-1&name=eye&include=counts"
		var first, second workerList
		s.request(http.MethodPost, "/v1/workers", many+"&limit=2").into(t, &first)
		s.request(http.MethodPost, "/v1/workers", many+"&limit=2&after="+first.Next).into(t, &second)
		if got := append(first.names(), second.names()...); !slices.Equal(got, []string{"eye", "web-1", "web-2"}) || second.Next != "" {
			t.Errorf("%q, then %q", got, second.Next)
		}
		var other workerList
		s.get("/v1/workers?limit=1&sort=id", &first)
		s.request(http.MethodPost, "/v1/workers", "sort=id&after="+first.Next).into(t, &other)
		if !slices.Equal(other.names(), []string{"web-2", "eye", "declared"}) {
			t.Errorf("%q", other.names())
		}
		s.refused(s.request(http.MethodPost, "/v1/workers", many+"&after="+first.Next), http.StatusBadRequest, api.InvalidRequest, "cursor of this query")
		s.refused(s.request(http.MethodPost, "/v1/workers", "include=document"), http.StatusForbidden, api.Forbidden)
		s.refused(s.request(http.MethodPost, "/v1/workers", "{}", "Content-Type", "application/json"), http.StatusUnsupportedMediaType, api.UnsupportedMediaType)
		s.refused(s.request(http.MethodPost, "/v1/workers", "name=x", "Origin", "https://attacker.example"), http.StatusForbidden, api.Forbidden, "origin")
		s.refused(s.request(http.MethodPost, "/v1/workers", strings.Repeat("name=x&", 200_000)), http.StatusRequestEntityTooLarge, api.TooLarge)
	})
}

// TestWordsWithCommas: parameters of a few words take them with commas, and others do not.
func TestWordsWithCommas(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db, api.Config{})
	s.scope = api.Read
	const joined = "include=labels,versions&role=worker,sensor&limit=2"
	for _, got := range []*response{s.request(http.MethodGet, "/v1/workers?"+joined, ""), s.request(http.MethodPost, "/v1/workers", joined)} {
		var list struct{ Items []answer.WorkerItem }
		if got.into(t, &list); len(list.Items) != 2 || list.Items[0].Runtimes == nil && list.Items[1].Runtimes == nil {
			t.Errorf("%s", got.body)
		}
	}
	for query, status := range map[string]int{
		"include=labels,document": http.StatusForbidden, "include=labels,": http.StatusBadRequest, "include=labels,nothing": http.StatusBadRequest,
		"id=1,2": http.StatusBadRequest, "sort=name,id": http.StatusBadRequest,
	} {
		if got := s.request(http.MethodGet, "/v1/workers?"+query, ""); got.StatusCode != status {
			t.Errorf("%s: %d %s", query, got.StatusCode, got.body)
		}
	}
}
