package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/runtime/api/client"
)

// The variables of a server and its token.
const (
	serverVariable = "ATTUNE_SERVER"
	tokenVariable  = "ATTUNE_TOKEN"
)

// serverOf returns the server that a command asks, or an empty text for a database: a flag wins over
// a variable.
func serverOf(env *cli.Env) string {
	if url, given := env.Flags["--server"].(string); given {
		return url
	}
	if _, given := env.Flags["--database"]; given {
		return ""
	}
	return env.Getenv(serverVariable)
}

// forDatabases lists the commands that work on a database only.
var forDatabases = []string{
	"migrate", "packs load", "packs unload", "packs list", "tokens", "serve", "workers delete", "runtimes delete",
}

// forNobody lists the commands that ask neither a database nor a server.
var forNobody = []string{"packs init", "packs validate", "config"}

// AfterApply refuses a server for commands that do not ask one, and a server together with a database.
func (g *grammar) AfterApply(k *kong.Context) error {
	given := func(name string) bool { return cli.Given(k, name) }
	isOneOf := func(commands []string) bool {
		return slices.ContainsFunc(commands, func(command string) bool {
			return k.Command() == command || strings.HasPrefix(k.Command(), command+" ")
		})
	}
	only := isOneOf(forDatabases)
	switch {
	case given("server") && given("database"):
		return errors.New("--server and --database are two places to ask; name one")
	case isOneOf(forNobody) && given("server"):
		return errors.New("this command asks neither a database nor a server: leave out --server")
	case only && given("server"):
		return errors.New("this command works on a database, not through a server: leave out --server")
	case only && g.Server != "" && g.Database == "":
		return errors.New("this command works on a database, not through the server in " + serverVariable + ": name one with --database")
	}
	return nil
}

// connect returns a server as a source. The token is sent to a server only after it has identified
// itself, and in the clear to this machine only.
func connect(ctx context.Context, env *cli.Env, address string) (source, error) {
	place := serverVariable
	if _, given := env.Flags["--server"]; given {
		place = "--server"
	}
	at, err := url.Parse(address)
	switch {
	case err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.RawQuery != "" || at.Fragment != "":
		return nil, cli.Usagef("%s must be a URL such as https://attune.example.com, got %q", place, redacted(at))
	case at.User != nil:
		return nil, cli.Usagef("%s must not have a user or a password; the token is read from %s", place, tokenVariable)
	case at.Scheme == "http" && !isHere(at.Hostname()):
		return nil, cli.Usagef("%s: a token must not be sent in the clear to %s; use https", place, at.Host)
	}
	doer := &http.Client{
		Timeout:       requestTimeout, // longer than a request that waits
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s := &serverSource{url: at.String()}
	plain, err := client.NewClient(s.url, client.WithHTTPClient(doer))
	if err != nil {
		return nil, err
	}
	if err := identified(plain.GetHealth(ctx)); err != nil {
		return nil, fmt.Errorf("%s: %w", s.url, err)
	}
	s.client, err = client.NewClient(s.url, client.WithHTTPClient(doer), client.WithRequestEditorFn(authorizedBy(env.Getenv(tokenVariable))))
	return s, err
}

// authorizedBy adds a token to requests.
func authorizedBy(token string) client.RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}
}

// requestTimeout bounds a request and its answer.
const requestTimeout = 2 * time.Minute

// isHere reports whether a host is this machine.
func isHere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

func redacted(at *url.URL) string {
	if at == nil {
		return ""
	}
	return at.Redacted()
}

// identified returns an error unless a server says that it has the API.
func identified(answer *http.Response, err error) error {
	if err != nil {
		return unreached(err)
	}
	defer answer.Body.Close()
	if answer.Header.Get(api.Header) != "1" {
		return errors.New("the server does not say that it is attune's API, so it was not sent the token; is the URL right?")
	}
	return nil
}

// unreached returns an error of a request without the method and the URL.
func unreached(err error) error {
	var request *url.Error
	if !errors.As(err, &request) {
		return err
	}
	err = fmt.Errorf("the server cannot be reached: %w", request.Err)
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		err = fmt.Errorf("%w; name a certificate authority of your own in SSL_CERT_FILE", err)
	}
	return err
}

// maxAnswer bounds an answer in memory.
const maxAnswer = 256 << 20

// answered decodes the answer to a request. Errors: *refusal.
func answered[T any](response *http.Response, err error) (to T, _ error) {
	if err != nil {
		return to, unreached(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return to, fmt.Errorf("read the server's answer: %w", err)
	case len(text) > maxAnswer:
		return to, fmt.Errorf("the server's answer must have at most %d bytes", maxAnswer)
	case response.StatusCode >= http.StatusMultipleChoices:
		refused := refusal{Status: response.StatusCode}
		_ = json.Unmarshal(text, &refused) // a proxy answers otherwise
		refused.Status = response.StatusCode
		return to, &refused
	}
	if err := json.Unmarshal(unescaped(text), &to); err != nil {
		return to, fmt.Errorf("read the server's answer: %w", err)
	}
	return to, nil
}

// unescaped returns JSON with the characters that encoding/json escapes for HTML: a document is kept
// as it was written.
func unescaped(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u00`)) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out = append(out, text[i])
			continue
		}
		if i+6 <= len(text) {
			if c, ok := map[string]byte{`\u003c`: '<', `\u003e`: '>', `\u0026`: '&'}[string(text[i:i+6])]; ok {
				out = append(out, c)
				i += 5
				continue
			}
		}
		out = append(out, text[i], text[i+1])
		i++
	}
	return out
}
