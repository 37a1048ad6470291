package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// nginxConfig puts nginx in front of a server, in the form of docs/api.md: under a prefix that it strips, with TLS and HTTP/2,
// and beside it in the clear. Buffering is on, as it is by default, and gzip keeps small parts back.
const nginxConfig = `
daemon off;
pid nginx.pid;
error_log stderr warn;
events {}
http {
    access_log access.log;
    gzip on; gzip_types *; gzip_proxied any; gzip_min_length 0;
    client_body_temp_path tmp-body; proxy_temp_path tmp-proxy; fastcgi_temp_path tmp-f; uwsgi_temp_path tmp-u; scgi_temp_path tmp-s;
    server {
        listen %[1]s ssl http2;
        listen %[2]s;
        ssl_certificate %[4]s/cert.pem;
        ssl_certificate_key %[4]s/key.pem;
        location /attune/ {
            proxy_pass %[3]s/;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
        }
    }
}
`

// nginx starts nginx in front of a server until the test ends, and returns the two addresses of the server behind it.
func nginx(t *testing.T, upstream string) (encrypted, clear string) {
	t.Helper()
	const program = "/usr/sbin/nginx"
	if _, err := os.Stat(program); err != nil {
		t.Skip("nginx is missing")
	}
	certificate(t, 1)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	encrypted, clear = freeAddress(t), freeAddress(t)
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, nginxConfig, encrypted, clear, upstream, here), 0o600); err != nil {
		t.Fatal(err)
	}
	log := new(output)
	cmd := osexec.CommandContext(t.Context(), program, "-p", folder, "-c", file)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx:\n%s", log)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", clear)
		if err == nil {
			_ = conn.Close() // it was only tried
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not listen: %v\n%s", err, log)
		}
	}
	return "https://" + encrypted + "/attune", "http://" + clear + "/attune"
}

// TestServeBehindNginx asks a server through nginx: answers, revisions, pages of lists, streams at once, the command line,
// and a browser that signs in.
func TestServeBehindNginx(t *testing.T) {
	needsCurl(t)
	db := testdb.SQLite(t)
	fleet(t, db)
	t.Chdir(t.TempDir())
	s := serve(t, "--behind-proxy")
	token := s.wait(`for this run: (\S+)`)
	encrypted, clear := nginx(t, s.url)
	behind := &serving{t: t, url: encrypted, errOut: s.errOut}
	curl := func(path string, args ...string) (status, body string) {
		t.Helper()
		return behind.curl(path, append(args, "--http2", "--cacert", "cert.pem", "-H", "Authorization: Bearer "+token)...)
	}
	status, body := curl("/v1/workers?limit=1", "-D", "-")
	header := regexp.MustCompile(`(?i)HTTP/2 200[\s\S]*attune-api: 1`).MatchString(body)
	tag := regexp.MustCompile(`(?i)etag: (\S+)`).FindStringSubmatch(body)
	next := regexp.MustCompile(`(?i)link: <(\?[^>]+)>; rel="next"`).FindStringSubmatch(body)
	if status != "200" || !header || tag == nil || next == nil {
		t.Fatalf("%s\n%s", status, body)
	}
	if status, body := curl("/v1/workers?limit=1", "-H", "If-None-Match: "+tag[1]); status != "304" || body != "" {
		t.Errorf("with its revision: %s\n%s", status, body)
	}
	if status, body := curl("/v1/workers" + next[1]); status != "200" || !strings.Contains(body, `"items":[{`) {
		t.Errorf("the next page: %s\n%s", status, body)
	}
	if status, body := curl("/v1/place", "--json", "{}"); status != "200" {
		t.Errorf("a body: %s\n%s", status, body)
	}

	streamsAtOnce(t, db, encrypted, token, "--http2")
	streamsAtOnce(t, db, clear, token, "--http1.1")
	setenv(t, "ATTUNE_TOKEN", token)
	want(t, run(t, "workers", "list", "--server", clear), 0, "web-1", "later")
	want(t, run(t, "workers", "cordon", "web-1", "--server", clear), 0, "cordoned")
	signsIn(t, encrypted, token)
}

// streamsAtOnce follows a stream through nginx, which keeps small parts back unless it is told not to.
func streamsAtOnce(t *testing.T, db *testdb.DB, root, token, version string) {
	t.Helper()
	out := new(output)
	cmd := osexec.CommandContext(t.Context(), "curl", "-sSN", "--compressed", version, "--cacert", "cert.pem", root+"/v1/changes",
		"-H", "Authorization: Bearer "+token, "-H", "Accept: text/event-stream")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill() // the stream has no end of its own
		_ = cmd.Wait()
	}()
	stream := &serving{t: t, errOut: out}
	began := time.Now()
	stream.wait(`event: begin\n`)
	reports.Register(t, db, metadata.Worker, "later"+version, &capability.Document{Detected: []capability.Installation{python("3.12.2", "/usr/bin/python3")}})
	stream.wait(`event: change\ndata: .*later` + version)
	checkEvents(t, out)
	if took := time.Since(began); took > 10*time.Second { // after 15 the server sends more
		t.Errorf("a change took %v with %s", took, version)
	}
}

// signsIn signs a browser in with a token and out, at a server with TLS.
func signsIn(t *testing.T, root, token string) {
	t.Helper()
	authority, err := os.ReadFile("cert.pem")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	defer browser.CloseIdleConnections()
	type answer struct {
		status, version int
		at, text        string
	}
	send := func(method, path string, form url.Values) answer {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, root+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		if form != nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", strings.TrimSuffix(root, "/attune"))
		}
		got, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		text, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer{got.StatusCode, got.ProtoMajor, got.Request.URL.String(), string(text)}
	}
	if got := send(http.MethodGet, "/", nil); got.at != root+"/ui/sign-in" || got.version != 2 {
		t.Errorf("%+v", got)
	}
	if got := send(http.MethodPost, "/ui/sign-in", url.Values{"token": {token}}); got.at != root+"/ui/" || !strings.Contains(got.text, "web-1") {
		t.Errorf("%+v", got)
	}
	at, err := url.Parse(root)
	if err != nil {
		t.Fatal(err)
	}
	if cookies := jar.Cookies(at); len(cookies) != 1 || !strings.HasPrefix(cookies[0].Name, "__Host-") {
		t.Errorf("%v, want one for TLS only", cookies)
	}
	if got := send(http.MethodPost, "/v1/workers/1/refresh", url.Values{}); got.status != http.StatusAccepted {
		t.Errorf("the API by the cookie: %+v", got)
	}
	if got := send(http.MethodPost, "/ui/sign-out", url.Values{}); got.at != root+"/ui/sign-in" {
		t.Errorf("%+v", got)
	}
}
