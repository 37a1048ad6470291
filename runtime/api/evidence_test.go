package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// TestReadScope asks every question with the scope read. No answer has what a command printed, the user of a host or its
// PATH.
func TestReadScope(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{Limits: api.Limits{Burst: 1e6}})
		const secret = "token=hunter2"
		broken := func(detail string) *capability.Document {
			return &capability.Document{
				Detected: []capability.Installation{{
					Ref: "core.perl", Name: "perl", Version: "5.36.0", Path: "/usr/bin/perl", Outcome: capability.Available, Source: capability.Verified,
				}},
				Failed: []capability.Failure{{
					Ref: "core.perl", Name: "perl", Path: "/opt/perl", Outcome: capability.ExitMismatch, Detail: capability.ExitDetail(1, 0, secret),
				}},
				Undetected: []capability.Absence{{
					Ref: "core.python", Name: "python", Outcome: capability.PatternMismatch, Detail: detail,
					Attempts: []capability.Attempt{{Command: []string{"python3"}, Output: secret, Outcome: capability.PatternMismatch, Detail: detail}},
				}},
			}
		}
		s.scope = api.Read
		live := s.listen("/v1/changes?from=0")
		reports.Register(t, db, metadata.Worker, "web-1", broken(capability.PatternDetail("^Python", secret)))
		until(t, "the loss is in the history", func() bool {
			return strings.Contains(string(s.get("/v1/changes", nil).body), `"kind":"lost"`)
		})
		for e := live.next(); ; e = live.next() {
			if strings.Contains(e.data, secret) {
				t.Errorf("a stream sends %s", e.data)
			}
			if strings.Contains(e.data, `"kind":"lost"`) {
				break
			}
		}
		questions := []string{
			"/v1/changes?from=0&limit=1000", "/v1/changes?from=0&wait=1s", "/v1/workers/1/explain?runtime=perl@%3E%3D6", "/v1/workers/1/explain?runtime=perl",
			"/v1/workers?include=labels&include=versions&include=counts&include=answers&has=perl&lacks=python", "/v1/workers/1/diff?with=2",
			"/v1/matrix?runtime=python&runtime=perl",
		}
		for _, e := range endpoints(t) {
			if e.method == http.MethodGet && e.scope == string(api.Read) {
				questions = append(questions, e.path)
			}
		}
		for _, path := range questions {
			body := string(s.get(path, nil).body)
			for _, hidden := range []string{secret, "/usr/local/bin", "^Python"} {
				if strings.Contains(body, hidden) {
					t.Errorf("%s: %q in\n%.1000s", path, hidden, body)
				}
			}
		}
		for _, path := range []string{"/v1/place", "/v1/what-if"} {
			body := map[string]string{"/v1/place": `{"runtimes": {"python": "*", "perl": ">=6"}}`, "/v1/what-if": `{"changes": ["without web-1"]}`}[path]
			if got := s.request(http.MethodPost, path+map[string]string{"/v1/place": "?include=hosts"}[path], body); strings.Contains(string(got.body), secret) {
				t.Errorf("%s: %s", path, got.body)
			}
		}
		s.scope = api.Operate
		for _, path := range []string{"/v1/workers/1/explain?runtime=python", "/v1/workers/1/explain?runtime=perl", "/v1/workers/1/runtimes", "/v1/changes"} {
			if body := string(s.get(path, nil).body); !strings.Contains(body, secret) {
				t.Errorf("%s: with the scope operate, there is no %q in\n%.1000s", path, secret, body)
			}
		}
	})
}
