package api

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// A Scope is what a principal may do.
type Scope string

// The scopes. Operate includes Read.
const (
	Read    Scope = "read"
	Operate Scope = "operate"
)

// A Principal sends requests.
type Principal struct {
	// Name is unique among the principals. It stands in the audit, and limits are kept by it.
	Name string
	// Scopes are what the principal may do.
	Scopes []Scope
	// Token is the ID of the principal's token in the database, or 0.
	Token int64
}

// May reports whether the principal has a scope. An empty scope is everybody's.
func (p *Principal) May(s Scope) bool {
	return s == "" || slices.Contains(p.Scopes, s) || s == Read && slices.Contains(p.Scopes, Operate)
}

// ErrUnauthorized means that a request does not say who sends it, or that it may not. Its text is
// not sent to the client.
var ErrUnauthorized = errors.New("unauthorized")

// A HostError reports a request that Loopback refuses.
type HostError struct {
	// Host is the request's Host, and Header the forwarding header that it has, or empty.
	Host, Header string
}

func (e *HostError) Error() string {
	if e.Header != "" {
		return "a server without tokens must not be reached through a proxy, got the header " + e.Header
	}
	return "the host must be localhost or a loopback address, because the server has no tokens"
}

func (e *HostError) Unwrap() error { return ErrUnauthorized }

// forwarding lists the headers by which proxies tell where a request came from, beside those that begin with
// X-Forwarded.
var forwarding = []string{
	"Forwarded", "X-Real-Ip", "Via", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip", "X-Original-Host",
}

// Loopback authorizes everybody on this machine to read. It refuses requests for other hosts than
// localhost and the loopback addresses, so that no page of the web can reach the server by a name
// of its own, and requests that a proxy forwards. Errors: *HostError.
func Loopback(r *http.Request) (Principal, error) {
	for header := range r.Header {
		if strings.HasPrefix(header, "X-Forwarded") || slices.Contains(forwarding, header) {
			return Principal{}, &HostError{r.Host, header}
		}
	}
	if !loopback.MatchString(r.Host) {
		return Principal{}, &HostError{Host: r.Host}
	}
	return Principal{Name: "loopback", Scopes: []Scope{Read}}, nil
}

// OnlyLoopback refuses all requests that Loopback refuses, also for what needs no principal.
func OnlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := Loopback(r); err != nil {
			problemOf(err).write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback is a Host, with or without a port, that is this machine.
var loopback = regexp.MustCompile(`^(?i:localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?$`)
