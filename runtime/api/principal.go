package api

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
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

// forwarding lists the headers by which proxies tell where a request came from.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-Ip", "Via"}

// Loopback authorizes everybody on this machine to read. It refuses requests for other hosts than
// localhost and the loopback addresses, so that no page of the web can reach the server by a name
// of its own, and requests that a proxy forwards. Errors: *HostError.
func Loopback(r *http.Request) (Principal, error) {
	for _, header := range forwarding {
		if _, ok := r.Header[header]; ok {
			return Principal{}, &HostError{r.Host, header}
		}
	}
	if !isLoopback(r.Host) {
		return Principal{}, &HostError{Host: r.Host}
	}
	return Principal{Name: "loopback", Scopes: []Scope{Read}}, nil
}

// isLoopback reports whether a Host, with or without a port, is this machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() && ip.Zone() == ""
}
