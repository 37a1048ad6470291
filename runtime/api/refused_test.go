package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
)

// TestRefusedBodies: a body with a fault is refused before a worker is looked for and before the audit.
func TestRefusedBodies(t *testing.T) {
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
		} {
			got := s.request(http.MethodPost, c.path, c.body)
			s.refused(got, http.StatusBadRequest, api.InvalidRequest, c.say)
			if strings.Contains(string(got.body), "SQLSTATE") || strings.Contains(string(got.body), "audit") {
				t.Errorf("%s tells about the database: %s", c.path, got.body)
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
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db, api.Config{Limits: api.Limits{Burst: 1e6}})
	for _, e := range endpoints(t) {
		path, _, _ := strings.Cut(e.path, "?")
		described, _ := at(specification(), "paths", templateOf(path), strings.ToLower(e.method), "parameters")
		list, _ := described.([]any)
		for _, p := range list {
			if ref, ok := at(p, "$ref"); ok {
				p, _ = at(specification(), strings.Split(strings.TrimPrefix(ref.(string), "#/"), "/")...)
			}
			if in, _ := at(p, "in"); in == "query" {
				name, _ := at(p, "name")
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
	for _, accept := range []string{"text/event-stream;q=0", "text/event-stream; q=0.0, application/json"} {
		if got := s.request(http.MethodGet, "/v1/changes?limit=1", "", "Accept", accept); got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s", accept, got.Header.Get("Content-Type"))
		}
	}
}
