package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

// A visit is what a client and a browser do with a server, from a token to the end of a session.
type visit struct {
	serving *serving
	// db and store are of the database, as its owner.
	db    *testdb.DB
	store *store.Store
	// worker is the ID of a worker of attune.
	worker int64
}

// ask sends a request, with a token unless bearer is empty, and returns an error for another status.
func (v *visit) ask(client *http.Client, status int, method, path, kind, body, bearer string) error {
	t := v.serving.t
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, v.serving.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	got, err := client.Do(req)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err == nil && got.StatusCode != status {
		err = fmt.Errorf("%s %s: %d: %.200s", method, path, got.StatusCode, text)
	}
	return err
}

// make makes a visit, up to the first thing that the server cannot do, which the error says.
func (v *visit) make() error {
	t := v.serving.t
	t.Helper()
	token, row, err := api.NewToken(t.Context(), v.store, "visitor", api.Operate, 0)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	var failed []error
	ask := func(status int, method, path, kind, body, bearer string) error {
		if slices.ContainsFunc(failed, func(err error) bool { return err != nil }) {
			return nil
		}
		return v.ask(browser, status, method, path, kind, body, bearer)
	}
	worker := fmt.Sprintf("/v1/workers/%d", v.worker)
	for _, path := range []string{
		"/v1/workers?include=document&include=labels&include=versions&include=counts&sort=status", worker, worker + "/runtimes", worker + "/history", worker + "/explain?runtime=python",
		"/v1/explain?runtime=python", "/v1/matrix", "/v1/matrix/groups?by=label:zone", "/v1/runtimes", "/v1/runtimes/core.python/versions", "/v1/changes",
		"/v1/actions", "/v1/sensors", "/v1/packs", "/v1/status", "/readyz",
	} {
		failed = append(failed, ask(http.StatusOK, http.MethodGet, path, "", "", token))
	}
	const form, text = "application/x-www-form-urlencoded", "application/json"
	failed = append(failed, ask(http.StatusOK, http.MethodPost, "/v1/place", text, `{"runtimes": {"python": "*"}, "selector": {"zone": "a"}}`, token),
		ask(http.StatusOK, http.MethodPost, "/ui/sign-in", form, url.Values{"token": {token}}.Encode(), ""))
	audited := valueOf[int](v, "SELECT count(*) FROM %s", "attune_audit")
	operations := []struct{ name, body string }{
		{"cordon", `{"reason": "a"}`}, {"cordon", `{"reason": "b"}`}, {"uncordon", ""}, {"taint", `{"key": "a", "value": "1"}`},
		{"taint", `{"key": "a", "value": "2"}`}, {"untaint", `{"key": "a"}`}, {"refresh", ""},
	}
	for _, o := range operations {
		kind, status := text, http.StatusOK
		if o.body == "" {
			kind = ""
		}
		if o.name == "refresh" {
			status = http.StatusAccepted
		}
		failed = append(failed, ask(status, http.MethodPost, worker+"/"+o.name, kind, o.body, ""))
	}
	if n := valueOf[int](v, "SELECT count(*) FROM %s", "attune_audit") - audited; n != len(operations) {
		failed = append(failed, fmt.Errorf("%d operations are audited, want %d", n, len(operations)))
	}
	failed = append(failed, ask(http.StatusOK, http.MethodPost, "/ui/sign-out", form, "", ""), ask(http.StatusUnauthorized, http.MethodGet, worker, "", "", ""))
	if n := valueOf[int](v, "SELECT count(*) FROM %s", "attune_session"); n > 0 {
		failed = append(failed, fmt.Errorf("%d sessions are left", n))
	}
	used := func() bool {
		return valueOf[bool](v, "SELECT last_used IS NOT NULL FROM %s WHERE id = "+strconv.FormatInt(row.ID, 10), "attune_token")
	}
	for deadline := time.Now().Add(2 * time.Second); errors.Join(failed...) == nil && !used(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			failed = append(failed, errors.New("the use of the token is not written"))
		}
	}
	return errors.Join(failed...)
}

// valueOf reads a value from a table.
func valueOf[T any](v *visit, query, table string) (to T) {
	v.serving.t.Helper()
	if err := v.db.NewRaw(fmt.Sprintf(query, `"`+v.db.Schema+`".`+table)).Scan(v.serving.t.Context(), &to); err != nil {
		v.serving.t.Fatal(err)
	}
	return to
}

// grantsOf lists what a role may do with tables and sequences, each as SQL of GRANT and REVOKE.
const grantsOf = `SELECT pg_catalog.format('%s ON %s %s', x.privilege_type, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE '' END, c.oid::regclass)
	FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x WHERE x.grantee = ?0::regrole
	UNION ALL
	SELECT pg_catalog.format('%s (%I) ON %s', x.privilege_type, a.attname, a.attrelid::regclass)
	FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) x WHERE x.grantee = ?0::regrole ORDER BY 1`

// isNeeded checks that a server whose login is a member of attune_server can do everything, and without any grant of
// that role less.
func isNeeded(t *testing.T, db *testdb.DB, roles *testdb.Roles, worker string) {
	t.Helper()
	name := "server-" + strings.ToLower(rand.Text()[:8])
	setenv(t, "ATTUNE_DATABASE_URL", roles.Login(t, name, "attune_server"))
	s := serve(t)
	st, err := store.Open(t.Context(), db, store.Config{Schema: db.Schema})
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{serving: s, db: db, store: st}
	v.worker = valueOf[int64](v, "SELECT id FROM %s WHERE name = '"+worker+"'", "worker")
	if err := v.make(); err != nil {
		t.Fatalf("with all grants: %v\n%s", err, s.errOut)
	}
	var role string
	var grants []string
	err = db.NewRaw(`SELECT m.roleid::regrole::text FROM pg_catalog.pg_auth_members m WHERE m.member = ?::regrole`, `"`+name+`"`).Scan(t.Context(), &role)
	if err == nil {
		err = db.NewRaw(grantsOf, role).Scan(t.Context(), &grants)
	}
	if err != nil || len(grants) < 30 {
		t.Fatalf("%d grants: %v", len(grants), err)
	}
	starts := func() bool { // it opens the database before it listens
		return strings.Contains(run(t, "serve", "--behind-proxy", "--listen", "192.0.2.1:0").errOut, "name another port")
	}
	if !starts() {
		t.Fatal("another server does not start")
	}
	change := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	for _, grant := range grants {
		change("REVOKE " + grant + " FROM " + role)
		if v.make() == nil && starts() {
			t.Errorf("%s is not needed", grant)
		}
		change("GRANT " + grant + " TO " + role)
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) { // what follows the database begins again
			if err = v.ask(http.DefaultClient, http.StatusOK, http.MethodGet, "/readyz", "", "", ""); err == nil {
				break
			} else if time.Now().After(deadline) {
				t.Fatalf("with %s again: %v", grant, err)
			}
		}
	}
}

// TestServerGrants: the role of the server has what it needs, from signing in to the audit, and no more.
func TestServerGrants(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	script, err := os.ReadFile(rolesFile)
	if err != nil {
		t.Fatal(err)
	}
	isNeeded(t, db, testdb.MakeRoles(t, db, string(script)), "web-1")
}

// TestGuestServerGrants is TestServerGrants in a platform's database, whose workers have no columns for cordons.
func TestGuestServerGrants(t *testing.T) {
	t.Parallel()
	asGuest(t, platform.V, func(h *guestHost) {
		h.db.Schema = platform.Schema
		want(h.T, run(h.T, "migrate", "up"), 0)
		defer h.service("registered and active")()
		isNeeded(h.T, h.db, testdb.MakeRoles(h.T, h.db, guestRoles(h.T)), h.name)
	})
}
