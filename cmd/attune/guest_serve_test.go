package main

import (
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
)

// TestGuestServe serves a platform's database with the rights of attune_server, which cannot write anything
// else, and asks it by the command line.
func TestGuestServe(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(h *guestHost) {
		t := h.T
		h.db.Schema = platform.Schema
		want(t, run(t, "migrate", "up"), 0)
		want(t, h.worker("register"), 0, h.name+" is registered")
		token := strings.TrimSpace(run(t, "tokens", "create", "ops", "--scope", "operate").out)
		roles := testdb.MakeRoles(t, h.db, guestRoles(t))
		login := roles.Login(t, "server-"+rand.Text()[:8], "attune_server")
		owner := h.db.URL
		history := h.shape.Has(platform.A)
		setenv(t, "ATTUNE_DATABASE_URL", login)
		s := serve(t)
		t.Cleanup(func() {
			if t.Failed() {
				t.Log(s.errOut)
			}
		})
		setenv(t, "ATTUNE_TOKEN", token)
		for _, c := range []struct {
			status int
			args   string
			words  []string
		}{
			{0, "workers list --has python", []string{h.name, "worker-alpha"}},
			{0, "workers list --output csv --include labels", []string{h.name}},
			{0, "workers show worker-alpha", []string{"as the platform's worker declares them"}},
			{0, "workers history " + h.name, []string{"gained"}},
			{0, "workers diff worker-alpha " + h.name, []string{"RUNTIME"}},
			{0, "explain worker-alpha python", []string{"attune does not verify it"}},
			{0, "runtimes list", []string{"core.python"}},
			{0, "status", []string{"a platform's"}},
			{0, "runtimes show python3", []string{h.name}},
			{0, "place python --tolerate attune/report-only --tolerate gpu", []string{"fit"}},
			{3, "place --all", []string{"etl."}},
			{0, "workers cordon * --reason disk", []string{"cordoned"}},
			{0, "workers show worker-alpha", []string{"cordoned     since ", ": disk"}},
			{0, "workers uncordon *", []string{"uncordoned"}},
			{0, "workers taint worker-alpha night", []string{"1 worker tainted"}},
			{0, "workers untaint * night", []string{"1 worker untainted"}},
			{0, "workers refresh *", []string{h.name}},
			{map[bool]int{true: 1, false: 3}[h.shape == platform.C], "place etl.ruby", map[bool][]string{
				true: {"the platform has retired the runtime etl.ruby"}, // of the others, nothing is retired
			}[h.shape == platform.C]},
		} {
			if history && strings.HasPrefix(c.args, "workers cordon") {
				want(t, run(t, "workers", "cordon", "*", "--server", s.url), 1, "the server's login of the database may not do this")
				if err := roles.Exec(t.Context(), `GRANT INSERT ON attune.worker_history TO attune_server`); err != nil {
					t.Fatal(err)
				}
				history = false
			}
			args := strings.Fields(c.args)
			setenv(t, "ATTUNE_DATABASE_URL", "sqlite:/nowhere")
			want(t, run(t, append(args, "--server", s.url)...), c.status, c.words...)
		}
		for path, words := range map[string][]string{
			"": {h.name, "worker-alpha"}, "why-not?q=python": {"hosts fit"}, "runtimes": {"core.python"}, "runtimes/core.python": {"why not"},
			"actions": {"etl."}, "actions?kind=sensor": {"Sensors"}, "changes": {h.name}, "status": {"a platform's, in which attune is a guest"},
		} {
			h.shows(s.url+"/ui/"+path, token, words...)
		}
		setenv(t, "ATTUNE_DATABASE_URL", owner)
		stop := h.service("registered and active")
		want(t, run(t, "workers", "refresh", h.name, "--wait", "--server", s.url), 0, "verified in")
		stop()
		h.denied(login, `UPDATE attune.worker SET status = 'active'`, `UPDATE attune.runtime SET name = 'x'`, `DELETE FROM attune.worker`,
			`INSERT INTO attune.attune_token (name, secret, scope) VALUES ('x', 'x', 'operate')`, `UPDATE attune.attune_token SET scope = 'operate'`,
			`UPDATE attune.attune_token SET revoked = NULL`, `DELETE FROM attune.attune_audit`,
			`INSERT INTO attune.attune_audit (principal, operation, subject, created) VALUES ('x', 'x', 'x', now())`, `UPDATE attune.attune_audit SET principal = 'x'`,
			`SELECT config FROM attune.sensor`, `SELECT * FROM attune.execution`, `UPDATE attune.attune_worker_state SET instance = 'x'`,
			`DELETE FROM attune.attune_capability_change`, `CREATE TABLE attune.mine ()`)
	})
}

// shows checks that a page has words.
func (h *guestHost) shows(page, token string, words ...string) {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), http.MethodGet, page, http.NoBody)
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK {
		h.Errorf("%s: %d, %v: %s", page, got.StatusCode, err, text)
	}
	for _, word := range words {
		if !strings.Contains(string(text), word) {
			h.Errorf("%s: %q is not in\n%s", page, word, text)
		}
	}
}
