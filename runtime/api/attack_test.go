package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/openapi"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

// An endpoint is an operation of the specification with a request for it.
type endpoint struct {
	method, path, body string
	scope              string
}

// endpoints returns a request for each operation of the specification, so that a new operation
// cannot be forgotten.
func endpoints(t *testing.T) (all []endpoint) {
	t.Helper()
	standard := scopeOf(openapi.Document()["security"])
	for path, methods := range openapi.Document()["paths"].(map[string]any) {
		for method, described := range methods.(map[string]any) {
			if method == "parameters" {
				continue
			}
			e := endpoint{method: strings.ToUpper(method), scope: standard}
			e.path = strings.NewReplacer("{id}", "1", "{ref}", "core.python").Replace(path)
			if security, ok := openapi.At(described, "security"); ok {
				e.scope = scopeOf(security)
			}
			if _, ok := openapi.At(described, "requestBody"); ok {
				e.body = "{}"
			}
			if strings.HasSuffix(path, "taint") {
				e.body = `{"key": "gpu"}`
			}
			if strings.HasSuffix(path, "/explain") {
				e.path += "?runtime=python"
			}
			if strings.HasSuffix(path, "/groups") {
				e.path += "?by=role"
			}
			switch path {
			case "/v1/workers":
				if e.method == http.MethodPost {
					e.body = "name=web-*&limit=10"
				}
			case "/v1/workers/{id}/diff":
				e.path += "?with=2"
			case "/v1/operations":
				e.path, e.body = e.path+"?id=1", `{"operation": "uncordon"}`
			case "/v1/refreshes":
				e.path += "?id=1"
			case "/v1/what-if":
				e.body = `{"changes": ["without web-1"]}`
			}
			all = append(all, e)
		}
	}
	if len(all) < 20 {
		t.Fatalf("the specification has %d operations only", len(all))
	}
	slices.SortFunc(all, func(a, b endpoint) int { return strings.Compare(a.path, b.path) })
	return all
}

// scopeOf returns the scope of a list of security requirements.
func scopeOf(security any) string {
	for _, requirement := range security.([]any) {
		scopes, _ := openapi.At(requirement, "token")
		return scopes.([]any)[0].(string)
	}
	return ""
}

// TestTokens asks every operation without a token, with bad ones, and with the wrong scope.
func TestTokens(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		st := store.New(db, store.Config{Schema: db.Schema})
		s := start(t, db, api.Config{Authorize: api.Tokens(st), Limits: api.Limits{Rate: 1e6, Burst: 1e6}})
		s.scope = ""
		token := func(name string, scope api.Scope, valid time.Duration) (string, int64) {
			text, row, err := api.NewToken(t.Context(), st, name, scope, valid)
			if err != nil {
				t.Fatal(err)
			}
			return text, row.ID
		}
		reader, readerID := token("reader", api.Read, 0)
		operator, _ := token("operator", api.Operate, time.Hour)
		revoked, revokedID := token("revoked", api.Operate, 0)
		if err := st.Tokens.Revoke(t.Context(), revokedID); err != nil {
			t.Fatal(err)
		}
		expired, _ := token("expired", api.Operate, time.Millisecond)
		until(t, "the token has expired", func() bool {
			return s.request(http.MethodGet, "/v1/packs", "", "Authorization", "Bearer "+expired).StatusCode == http.StatusUnauthorized
		})
		id, secret, _ := strings.Cut(strings.TrimPrefix(operator, "att_"), "_")
		bad := map[string]string{
			"none": "", "revoked": "Bearer " + revoked, "expired": "Bearer " + expired, "truncated": "Bearer " + operator[:len(operator)-1],
			"longer": "Bearer " + operator + "A", "of another id": "Bearer att_" + itoa(readerID) + "_" + secret, "of no id": "Bearer att_99_" + secret,
			"of this run": "Bearer att_0_" + secret, "without a prefix": "Bearer " + id + "_" + secret, "basic": "Basic " + operator, "empty": "Bearer",
			"negative": "Bearer att_-1_" + secret, "overflowing": "Bearer att_99999999999999999999_" + secret, "zero byte": "Bearer att_" + id + "_%00",
			"hash": "Bearer att_" + id + "_" + hashIn(t, st, "operator"), "SQL": "Bearer att_1 OR 1=1_" + secret,
		}
		for _, e := range endpoints(t) {
			send := func(authorization string) *response {
				headers := []string{"Authorization", authorization}
				if authorization == "" {
					headers = nil
				}
				return s.request(e.method, e.path, e.body, headers...)
			}
			if e.scope == "" {
				if got := send(""); got.StatusCode != http.StatusOK {
					t.Errorf("%s %s: %d for everybody", e.method, e.path, got.StatusCode)
				}
				continue
			}
			for name, authorization := range bad {
				got := send(authorization)
				if got.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("%s %s: %d with a token: %s", e.method, e.path, got.StatusCode, name)
				}
				if strings.Contains(string(got.body), "token 1") || strings.Contains(string(got.body), "secret") {
					t.Errorf("%s %s: it says why: %s", e.method, e.path, got.body)
				}
			}
			if got := send("Bearer " + reader); e.scope == string(api.Operate) {
				s.refused(got, http.StatusForbidden, api.Forbidden)
			} else if got.StatusCode >= 400 {
				t.Errorf("%s %s: %d with the scope read: %s", e.method, e.path, got.StatusCode, got.body)
			}
			if got := send("Bearer " + operator); got.StatusCode >= 400 {
				t.Errorf("%s %s: %d with the scope operate: %s", e.method, e.path, got.StatusCode, got.body)
			}
		}
		for _, path := range []string{
			"/v1/workers?include=document", "/v1/workers/1?include=document", "/v1/workers/1/explain?runtime=python&include=evidence",
			"/v1/workers/1/diff?with=2&include=facts",
		} {
			s.refused(s.request(http.MethodGet, path, "", "Authorization", "Bearer "+reader), http.StatusForbidden, api.Forbidden, "operate")
		}
		audits, err := st.Audits.List(t.Context(), 0)
		var operations []string
		for i := range audits {
			operations = append(operations, audits[i].Operation)
			if !strings.Contains(audits[i].Principal, "operator") || !strings.HasPrefix(audits[i].Subject, "worker 1") {
				t.Errorf("%+v", audits[i])
			}
		}
		slices.Sort(operations)
		if want := []string{"cordonWorker", "operateWorkers", "refreshWorker", "refreshWorkers", "taintWorker", "uncordonWorker", "untaintWorker"}; err != nil || !slices.Equal(operations, want) {
			t.Errorf("%v: the audit has %q, want %q", err, operations, want)
		}
		states, err := st.Tokens.List(t.Context())
		if err != nil || states[0].LastUsed == nil || !states[0].Valid || states[2].LastUsed != nil || states[2].Valid {
			t.Errorf("%v: %+v", err, states)
		}
	})
}

// hashIn returns the hash of a token, which somebody may have read in the database.
func hashIn(t *testing.T, st *store.Store, name string) string {
	t.Helper()
	states, err := st.Tokens.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range states {
		if states[i].Name == name {
			return states[i].Secret
		}
	}
	t.Fatalf("no token %s", name)
	return ""
}

// TestRevokedTokenOfStream: a token that is revoked in the database ends its stream.
func TestRevokedTokenOfStream(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	st := store.New(db, store.Config{})
	s := start(t, db, api.Config{Authorize: api.Tokens(st)})
	text, row, err := api.NewToken(t.Context(), st, "x", api.Read, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := s.listen("/v1/changes", "Authorization", "Bearer "+text)
	if err := st.Tokens.Revoke(t.Context(), row.ID); err != nil {
		t.Fatal(err)
	}
	if e := l.next(); e.name != "end" || !strings.Contains(e.data, "token") {
		t.Errorf("%+v", e)
	}
}

// TestAuditIsAtomic: what cannot be written to the audit is not done.
func TestAuditIsAtomic(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		table := "attune_audit"
		if db.Schema != "" {
			table = "public.attune_audit"
		}
		if _, err := db.ExecContext(t.Context(), "DROP TABLE "+table); err != nil {
			t.Fatal(err)
		}
		for _, e := range endpoints(t) {
			if e.method != http.MethodPost || e.scope != string(api.Operate) {
				continue
			}
			if e.path == "/v1/operations?id=1" {
				e.body = `{"operation": "cordon"}`
			}
			got := s.request(e.method, e.path, e.body)
			s.refused(got, http.StatusInternalServerError, api.Internal)
			if strings.Contains(string(got.body), "audit") {
				t.Errorf("%s tells about the database: %s", e.path, got.body)
			}
			found, err := s.store.Workers.Select(t.Context(), store.Selection{IDs: []int64{1}})
			if err != nil || found[0].RefreshRequested != nil {
				t.Errorf("%s: %v: it was asked all the same: %+v", e.path, err, found)
			}
			states, err := answer.OperationsOn(t.Context(), s.store, 1)
			if err != nil || states[1].Cordon != nil || len(states[1].OperatorTaints) > 0 {
				t.Errorf("%s: %v: it was done all the same: %+v", e.path, err, states)
			}
		}
		if log := s.log.String(); !strings.Contains(log, "attune_audit") {
			t.Errorf("the log does not tell why:\n%s", log)
		}
	})
}

// TestLoopback: without tokens, only this machine reads, by its own name and without a proxy.
func TestLoopback(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db, api.Config{Authorize: api.Loopback})
	s.scope = ""
	get := func(host string, headers ...string) *response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/workers", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		return s.do(req)
	}
	for _, host := range []string{"localhost", "localhost:8642", "127.0.0.1", "127.0.0.1:1", "[::1]:8642", "[::1]", "LOCALHOST"} {
		if got := get(host); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", host, got.StatusCode)
		}
	}
	for _, host := range []string{
		"attacker.example", "localhost.attacker.example", "127.0.0.1.nip.io", "192.168.0.1:8642", "localhost.", "xlocalhost", "127.0.0.1@x", "[::ffff:192.168.0.1]",
		"0.0.0.0:8642", "2130706433", "127.0.0.2", "localhost:x", "localhost:80:80", "[localhost]", "::1",
	} {
		s.refused(get(host), http.StatusForbidden, api.Forbidden, "loopback")
	}
	for _, header := range []string{
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded", "Forwarded", "Via", "X-Real-IP", "True-Client-IP",
		"CF-Connecting-IP", "X-Client-IP", "X-Original-Host",
	} {
		s.refused(get("localhost", header, ""), http.StatusForbidden, api.Forbidden, "proxy")
	}
	s.refused(s.request(http.MethodPost, "/v1/workers/1/refresh", ""), http.StatusForbidden, api.Forbidden, "operate")
	s.refused(s.request(http.MethodPost, "/v1/place", "{}", "Sec-Fetch-Site", "cross-site"), http.StatusForbidden, api.Forbidden, "origin")
	s.refused(s.request(http.MethodPost, "/v1/place", "{}", "Origin", "https://attacker.example"), http.StatusForbidden, api.Forbidden, "origin")
}

// TestInjection puts SQL, controls and much text into every parameter. Nothing of it reaches the
// database as a statement, a header or an error of the server.
func TestInjection(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{Limits: api.Limits{Rate: 1e6, Burst: 1e6}})
		var before, after workerList
		s.get("/v1/workers", &before)
		values := []string{"%27%3B+DROP+TABLE+worker%3B--", "%00", "%0d%0aX-Evil:+1", "%ff%fe", "a%27+OR+%271%27=%271", strings.Repeat("x", 4000), "%25s%25n", "$1", "?0"}
		count := 0
		for _, e := range endpoints(t) {
			path, query, _ := strings.Cut(e.path, "?")
			isForm := e.method == http.MethodPost && path == "/v1/workers" // its body has the parameters of the list
			method := e.method
			if isForm {
				method = http.MethodGet
			}
			described, _ := openapi.At(openapi.Document(), "paths", openapi.TemplateOf(path), strings.ToLower(method), "parameters")
			list, _ := described.([]any)
			for _, p := range list {
				if ref, ok := openapi.At(p, "$ref"); ok {
					p, _ = openapi.At(openapi.Document(), strings.Split(strings.TrimPrefix(ref.(string), "#/"), "/")...)
				}
				if in, _ := openapi.At(p, "in"); in != "query" {
					continue
				}
				name, _ := openapi.At(p, "name")
				for _, value := range values {
					parameters := name.(string) + "=" + value
					if query != "" && !strings.HasPrefix(query, name.(string)+"=") {
						parameters += "&" + query
					}
					target, body := path+"?"+parameters, e.body
					if isForm {
						target, body = path, parameters
					}
					got := s.request(e.method, target, body)
					if got.StatusCode >= 500 || got.Header.Get("X-Evil") != "" {
						t.Errorf("%s %.200s: %d\n%s", e.method, target, got.StatusCode, got.body)
					}
					count++
				}
			}
		}
		if count < 100*len(values) {
			t.Errorf("%d requests, with %d values for each parameter", count, len(values))
		}
		const evil = "&name=%0d%0aX-Evil:+1&name=%3E%3B+rel=%22x%22"
		for _, path := range []string{"/v1/workers?limit=1&name=*", "/v1/matrix?limit=1&name=*", "/v1/changes?limit=1&name=*"} {
			got := s.get(path+evil, nil)
			link, rel, _ := strings.Cut(strings.TrimPrefix(got.Header.Get("Link"), "<"), ">; ")
			if next, err := url.Parse(link); err != nil || rel != `rel="next"` || !slices.Contains(next.Query()["name"], "\r\nX-Evil: 1") || got.Header.Get("X-Evil") != "" {
				t.Errorf("%s: the link %q: %v", path, got.Header.Get("Link"), err)
			}
		}
		for _, value := range values {
			if got := s.request(http.MethodGet, "/v1/runtimes/"+strings.ReplaceAll(value, "+", "%20")+"/versions", ""); got.StatusCode != http.StatusNotFound {
				t.Errorf("%.100s: %d %s", value, got.StatusCode, got.body)
			}
		}
		s.injectBodies()
		s.get("/v1/workers", &after)
		if !slices.Equal(before.names(), after.names()) {
			t.Errorf("before %q, after %q", before.names(), after.names())
		}
		if log := s.log.String(); log != "" {
			t.Errorf("the server failed:\n%s", log)
		}
	})
}

// injectBodies puts SQL, controls and much text into every text of bodies, into paths and into headers.
func (s *server) injectBodies() {
	s.t.Helper()
	for _, value := range []string{`'; DROP TABLE worker;--`, `\u0000`, `\r\nX-Evil: 1`, `a' OR '1'='1`, strings.Repeat("x", 4000), `%s%n`, `$1`, `?0`, `\ud800`} {
		bodies := map[string][]string{
			"/v1/place": {
				`{"runtimes": {"%": "*"}}`, `{"runtimes": {"python": "%"}}`, `{"selector": {"%": "a"}}`, `{"selector": {"zone": "%"}}`, `{"role": "%"}`,
				`{"tolerations": [{"key": "%", "operator": "exists"}]}`, `{"tolerations": [{"key": "a", "operator": "equal", "value": "%"}]}`, `{"%": 1}`,
			},
			"/v1/what-if": {`{"changes": ["%"]}`, `{"changes": ["without %"]}`, `{"changes": ["runtime % removed"]}`, `{"changes": ["python min %"], "pack": "%"}`},
			"/v1/operations?id=999": {
				`{"operation": "%"}`, `{"operation": "cordon", "reason": "%"}`, `{"operation": "taint", "taint": {"key": "%", "effect": "no_schedule"}}`,
				`{"operation": "taint", "taint": {"key": "a", "value": "%", "effect": "no_schedule"}}`, `{"operation": "untaint", "taint": {"key": "a", "effect": "%"}}`,
			},
			"/v1/workers/1/cordon": {`{"reason": "%"}`}, "/v1/workers/1/taint": {`{"key": "%"}`, `{"key": "a", "value": "%"}`, `{"key": "a", "effect": "%"}`},
			"/v1/workers/1/untaint": {`{"key": "%"}`},
		}
		for path, templates := range bodies {
			for _, template := range templates {
				body := strings.ReplaceAll(template, "%", value)
				if got := s.request(http.MethodPost, path, body); got.StatusCode >= 500 || got.Header.Get("X-Evil") != "" {
					s.t.Errorf("%s %.200s: %d\n%s", path, body, got.StatusCode, got.body)
				}
			}
		}
	}
	for _, value := range []string{"%27%3B+DROP+TABLE+worker%3B--", "%00", "%0d%0aX-Evil:%201", "%ff%fe", "1%20OR%201=1", "..%2f1", strings.Repeat("9", 400)} {
		for _, path := range []string{"/v1/workers/%", "/v1/workers/%/runtimes", "/v1/workers/%/history", "/v1/workers/%/explain?runtime=python", "/v1/workers/%/diff?with=1", "/v1/runtimes/%"} {
			path = strings.Replace(path, "%", value, 1)
			if got := s.request(http.MethodGet, path, ""); got.StatusCode != http.StatusNotFound && got.StatusCode != http.StatusBadRequest || got.Header.Get("X-Evil") != "" {
				s.t.Errorf("%.200s: %d\n%s", path, got.StatusCode, got.body)
			}
		}
	}
	for _, value := range []string{`'; DROP TABLE worker;--`, "\xff\xfe", "a' OR '1'='1", strings.Repeat("x", 4000), "%s%n", "*", `"`, ",,,"} {
		for _, header := range []string{"If-None-Match", "If-Match", "Last-Event-ID", "Accept", "Content-Type", "X-Forwarded-For", "Cookie", "Referer"} {
			for method, path := range map[string]string{http.MethodGet: "/v1/changes?from=0", http.MethodPost: "/v1/place"} {
				if got := s.request(method, path, map[string]string{http.MethodPost: "{}"}[method], header, value); got.StatusCode >= 500 || got.Header.Get("X-Evil") != "" {
					s.t.Errorf("%s %s: %.100q: %d\n%.300s", method, header, value, got.StatusCode, got.body)
				}
			}
		}
	}
}
