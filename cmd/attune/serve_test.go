package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	osexec "os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/openapi"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// output collects what a program writes.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// serving is a running `attune serve`.
type serving struct {
	t      *testing.T
	url    string
	errOut *output
	end    func() int
}

// serve runs `attune serve` until the test or end ends it.
func serve(t *testing.T, args ...string) *serving {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &serving{t: t, errOut: new(output)}
	status := make(chan int, 1)
	go func() {
		status <- program().Run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), cli.Stdio{In: strings.NewReader(""), Out: s.errOut, Err: s.errOut, Environ: environ(t)})
	}()
	s.end = sync.OnceValue(func() int { cancel(); return <-status })
	t.Cleanup(func() { s.end() })
	s.url = s.wait(`msg=serving url=(\S+)`)
	return s
}

// wait waits for a line of the log and returns its group.
func (s *serving) wait(pattern string) string {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(s.errOut.String()); m != nil {
			return m[len(m)-1]
		}
	}
	s.t.Fatalf("after 30s nothing says %s:\n%s", pattern, s.errOut)
	return ""
}

// curl runs curl and returns the status and the body, which must be one that the API's document has.
// ready waits until the server follows the changes.
func (s *serving) ready() {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if status, _ := s.curl("/readyz"); status == "200" {
			return
		}
	}
	s.t.Fatal("not ready after 30s")
}

func (s *serving) curl(path string, args ...string) (status, body string) {
	s.t.Helper()
	const trailer = "\n%{method} %{http_code} %header{" + api.Header + "} %{content_type}"
	args = append([]string{"-sS", "--max-time", "30", "-w", trailer, s.url + path}, args...)
	out, err := osexec.CommandContext(s.t.Context(), "curl", args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("curl %q: %v\n%s", args, err, out)
	}
	i := strings.LastIndex(string(out), "\n")
	body = string(out[:i])
	answer := strings.SplitN(string(out[i+1:]), " ", 4)
	if code, _ := strconv.Atoi(answer[1]); answer[2] != "" {
		a := openapi.Answer{Method: answer[0], Path: path, Status: code, ContentType: answer[3], Body: []byte(body)}
		if _, behind, ok := strings.Cut(body, "\r\n\r\n"); ok && slices.Contains(args, "-D") {
			a.Body = []byte(behind) // of the header
		}
		if err := a.Check(); err != nil {
			s.t.Errorf("curl %q: %s: %v\n%s", args, answer[1], err, body)
		}
	}
	return answer[1], body
}

func needsCurl(t *testing.T) {
	t.Helper()
	if _, err := osexec.LookPath("curl"); err != nil {
		t.Skip("curl is missing")
	}
}

// TestServe asks every operation with curl, by tokens that the command line makes and revokes.
func TestServe(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		want(t, run(t, "tokens", "list"), 0, "no tokens")
		created := run(t, "tokens", "create", "grafana")
		want(t, created, 0, "att_1_", "for the scope read", "attune tokens revoke 1")
		reader := strings.TrimSpace(created.out)
		var operator createdToken
		if err := json.Unmarshal([]byte(run(t, "tokens", "create", "ops", "--scope", "operate", "--expires", "1h", "--json").out), &operator); err != nil {
			t.Fatal(err)
		}
		s := serve(t)
		var doc struct{ Paths map[string]map[string]any }
		if err := json.Unmarshal(api.Spec(), &doc); err != nil {
			t.Fatal(err)
		}
		operations := 0
		for path, methods := range doc.Paths {
			for method := range methods {
				if method == "parameters" {
					continue
				}
				target := strings.NewReplacer("{id}", "1", "{ref}", "core.python").Replace(path)
				switch {
				case strings.HasSuffix(path, "/explain"):
					target += "?runtime=python"
				case strings.HasSuffix(path, "/groups"):
					target += "?by=role"
				case strings.HasSuffix(path, "/diff"):
					target += "?with=2"
				}
				args := []string{"-H", "Authorization: Bearer " + operator.Token, "-X", strings.ToUpper(method)}
				switch {
				case path == "/v1/workers" && method == "post":
					args = append(args, "--data", "name=*")
				case path == "/v1/place":
					args = append(args, "--json", `{"runtimes": {"python": "*"}}`)
				case strings.HasSuffix(path, "/cordon"):
					args = append(args, "--json", `{"reason": "new disk"}`)
				case strings.HasSuffix(path, "taint"):
					args = append(args, "--json", `{"key": "slow"}`)
				case path == "/v1/refreshes":
					target += "?name=*"
				case path == "/v1/operations":
					target += "?name=*"
					args = append(args, "--json", `{"operation": "uncordon"}`)
				case path == "/v1/what-if":
					args = append(args, "--json", `{"changes": ["without web-1"]}`)
				}
				if status, body := s.curl(target, args...); status != "200" && status != "202" {
					t.Errorf("%s %s: %s\n%s", method, target, status, body)
				}
				operations++
			}
		}
		if operations < 20 {
			t.Errorf("%d operations only", operations)
		}
		status, body := s.curl("/metrics", "-H", "Authorization: Bearer "+reader)
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(body))
		if err != nil || families["attune_api_requests_total"] == nil || families["go_goroutines"] == nil || status != "200" {
			t.Errorf("%s: %v\n%s", status, err, body)
		}
		want(t, run(t, "tokens", "list"), 0, "grafana", "read", "valid", "ops", "operate")
		want(t, run(t, "tokens", "revoke", "1"), 0, "revoked token 1")
		want(t, run(t, "tokens", "revoke", "1"), 1, "was revoked before")
		want(t, run(t, "tokens", "revoke", "9"), 1, "no token", "attune tokens list")
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if status, _ := s.curl("/v1/workers", "-H", "Authorization: Bearer "+reader); status == "401" {
				break
			} else if time.Now().After(deadline) {
				t.Fatalf("a revoked token goes on: %s", status)
			}
		}
		if got := s.end(); got != 0 {
			t.Errorf("status %d\n%s", got, s.errOut)
		}
		if strings.Contains(s.errOut.String(), "att_") || strings.Contains(s.errOut.String(), "level=ERROR") {
			t.Errorf("the log:\n%s", s.errOut)
		}
	})
}

// TestServeStream follows changes with curl until the server ends.
func TestServeStream(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	db := testdb.SQLite(t)
	fleet(t, db)
	s := serve(t)
	token := s.wait(`for this run: (att_0_\S+)`)
	out := new(output)
	cmd := osexec.CommandContext(t.Context(), "curl", "-sSN", s.url+"/v1/changes?from=0&runtime=python",
		"-H", "Authorization: Bearer "+token, "-H", "Accept: text/event-stream")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := func(pattern string) { (&serving{t: t, errOut: out}).wait(pattern) }
	wait(`event: change\ndata: .*web-1`)
	reports.Register(t, db, metadata.Worker, "later", &capability.Document{Detected: []capability.Installation{python("3.12.2", "/usr/bin/python3")}})
	wait(`event: change\ndata: .*later`)
	if got := s.end(); got != 0 {
		t.Errorf("status %d\n%s", got, s.errOut)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("curl: %v: the stream was cut off", err)
	}
	wait(`event: end\n`)
	checkEvents(t, out)
}

// checkEvents checks the events of a stream that curl wrote.
func checkEvents(t *testing.T, out *output) {
	t.Helper()
	a := openapi.Answer{Method: http.MethodGet, Path: "/v1/changes", Status: http.StatusOK, ContentType: "text/event-stream", Body: []byte(out.String())}
	if err := a.Check(); err != nil {
		t.Errorf("%v\n%s", err, a.Body)
	}
}

// TestServeTLS serves with a certificate that is renewed while the server runs and a stream is open.
func TestServeTLS(t *testing.T) {
	needsCurl(t)
	db := testdb.SQLite(t)
	fleet(t, db)
	t.Chdir(t.TempDir())
	certificate(t, 1)
	s := serve(t, "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--log-level", "info")
	if status, _ := s.curl("/healthz", "--cacert", "cert.pem"); status != "200" {
		t.Errorf("%s", status)
	}
	want(t, run(t, "workers", "list", "--server", s.url), cli.ExitFailed, "unknown authority", "SSL_CERT_FILE")
	out := new(output)
	stream := osexec.CommandContext(t.Context(), "curl", "-sSN", "--cacert", "cert.pem", s.url+"/v1/changes",
		"-H", "Authorization: Bearer "+s.wait(`for this run: (\S+)`), "-H", "Accept: text/event-stream")
	stream.Stdout, stream.Stderr = out, out
	if err := stream.Start(); err != nil {
		t.Fatal(err)
	}
	open := &serving{t: t, errOut: out}
	open.wait(`event: begin\n`)
	certificate(t, 2)
	serial := func() int64 {
		dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("the certificate %d, before SIGHUP", got)
	}
	hangUp(t)
	s.wait("read the certificate again")
	if got := serial(); got != 2 {
		t.Errorf("the certificate %d, after SIGHUP", got)
	}
	reports.Register(t, db, metadata.Worker, "later", &capability.Document{Detected: []capability.Installation{python("3.12.2", "/usr/bin/python3")}})
	open.wait(`event: change\ndata: .*later`) // by the connection of the first certificate
	if err := os.WriteFile("key.pem", []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	s.wait("cannot be used")
	if got := serial(); got != 2 {
		t.Errorf("the certificate %d, after a broken one", got)
	}
	if got := s.end(); got != 0 {
		t.Errorf("status %d\n%s", got, s.errOut)
	}
	if err := stream.Wait(); err != nil {
		t.Errorf("curl: %v: the stream was cut off", err)
	}
	open.wait(`event: end\n`)
}

// TestServeHangup: a server without a certificate goes on after SIGHUP, which reaches all servers of this process.
func TestServeHangup(t *testing.T) {
	fleet(t, testdb.SQLite(t))
	s := serve(t)
	hangUp(t)
	s.wait("no certificate to read again")
	if got := s.end(); got != 0 {
		t.Errorf("status %d\n%s", got, s.errOut)
	}
}

// hangUp sends SIGHUP to this process.
func hangUp(t *testing.T) {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(syscall.SIGHUP)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// certificate writes a certificate for this machine into the working folder.
func certificate(t *testing.T, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "attune"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestServeRefuses: flags that would send tokens in the clear or open the server to others.
func TestServeRefuses(t *testing.T) {
	t.Parallel()
	isolated(t)
	for _, c := range []struct{ args, say string }{
		{"--listen 0.0.0.0:8642", "--behind-proxy if a proxy has TLS"},
		{"--listen build-7:8642", "tokens must not be sent in the clear"},
		{"--listen 0.0.0.0:8642 --no-auth", "this machine alone"},
		{"--no-auth --behind-proxy", "without a proxy"},
		{"--tls-cert x", "go together"},
		{"--listen x:y:z", "must be [HOST]:PORT"},
	} {
		want(t, run(t, append([]string{"serve"}, strings.Fields(c.args)...)...), 2, c.say)
	}
	want(t, run(t, "tokens", "create", "x", "--expires=-1h"), 2, "must be at least 0")
	want(t, run(t, "tokens", "create", "x", "--scope", "all"), 2, "scope")
	want(t, run(t, "serve"), 1, "no database")
}

// TestServeWithoutTokens serves this machine alone, and reading only.
func TestServeWithoutTokens(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	fleet(t, testdb.SQLite(t))
	s := serve(t, "--no-auth")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"200", nil}, {"403", []string{"-H", "Host: attacker.example"}}, {"403", []string{"-H", "X-Forwarded-For: 10.0.0.1"}},
		{"200", []string{"-H", "Host: localhost"}},
	} {
		if status, body := s.curl("/v1/workers", c.args...); status != c.want {
			t.Errorf("%q: %s, want %s\n%s", c.args, status, c.want, body)
		}
	}
	for _, path := range []string{"/", "/ui/", "/openapi.json", "/healthz", "/v1/nothing"} {
		if status, _ := s.curl(path, "-H", "Host: attacker.example"); status != "403" {
			t.Errorf("%s of another host: %s", path, status)
		}
	}
	if status, _ := s.curl("/v1/workers/1/refresh", "-X", "POST"); status != "403" {
		t.Errorf("%s", status)
	}
}

// TestServeRole serves as a member of attune_server, which may do no more than that.
func TestServeRole(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	db := testdb.Postgres(t)
	fleet(t, db)
	script, err := os.ReadFile(rolesFile)
	if err != nil {
		t.Fatal(err)
	}
	roles := testdb.MakeRoles(t, db, string(script))
	login := func(role string) string {
		return roles.Login(t, "as_"+role+"_"+strings.ToLower(rand.Text()[:10]), role)
	}
	setenv(t, "ATTUNE_DATABASE_URL", login("attune_operator"))
	token := strings.TrimSpace(run(t, "tokens", "create", "ops", "--scope", "operate").out)
	setenv(t, "ATTUNE_DATABASE_URL", login("attune_server"))
	s := serve(t)
	s.ready()
	for path, args := range map[string][]string{
		"/v1/workers?include=document": nil, "/v1/matrix": nil, "/v1/runtimes": nil, "/v1/packs": nil, "/v1/status": nil, "/readyz": nil,
		"/v1/place": {"--json", "{}"}, "/v1/workers/1/refresh": {"-X", "POST"}, "/v1/workers/1/explain?runtime=python": nil,
		"/v1/workers/1/cordon": {"--json", "{}"}, "/v1/workers/1/uncordon": {"-X", "POST"}, "/v1/workers/1/taint": {"--json", `{"key": "a"}`},
		"/v1/workers/1/untaint": {"--json", `{"key": "a"}`},
	} {
		if status, body := s.curl(path, append(args, "-H", "Authorization: Bearer "+token)...); !strings.HasPrefix(status, "20") {
			t.Errorf("%s: %s\n%s\n%s", path, status, body, s.errOut)
		}
	}
	want(t, run(t, "tokens", "create", "more"), 1, "permission denied", "attune_operator")
	want(t, run(t, "tokens", "revoke", "1"), 1, "permission denied", "attune_operator")
	want(t, run(t, "workers", "delete", "lost"), 1, "permission denied")
	want(t, run(t, "packs", "load", "core", "--force"), 1, "permission denied")
	setenv(t, "ATTUNE_DATABASE_URL", login("attune_reader"))
	want(t, run(t, "tokens", "list"), 1, "permission denied")
	want(t, run(t, "serve"), 1, "permission denied")
	var audits int
	if err := db.NewRaw("SELECT count(*) FROM attune_audit WHERE operation = 'refreshWorker'").Scan(t.Context(), &audits); err != nil || audits != 1 {
		t.Errorf("%d audit rows: %v", audits, err)
	}
}
