package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/attune-go/attune/schema/store"
)

// Limits of sessions.
const (
	defaultSessionLife = 12 * time.Hour
	// linkLife is how long the code of a link can be used.
	linkLife = time.Hour
	// maxInMemory bounds the sessions and the codes in memory, each.
	maxInMemory = 1000
)

// A SessionConfig configures Sessions.
type SessionConfig struct {
	// Authorize authorizes requests that have a token. Defaults to Tokens.
	Authorize func(*http.Request) (Principal, error)
	// Life is how long a session lasts at most. Defaults to 12h.
	Life time.Duration
	// BehindProxy means that a proxy has TLS, unless its header X-Forwarded-Proto says http. Without it
	// the header is ignored.
	BehindProxy bool
	// Statement is the longest time for the database. Defaults to 30s.
	Statement time.Duration
	// Cookie is the name of the cookie. APIs on one host need different names. Defaults to
	// "attune_session".
	Cookie string
}

// Sessions sign browsers in: a browser has a cookie in place of a token. A session ends with its
// token. Sessions of tokens in the database are rows, and those of other tokens are in memory.
type Sessions struct {
	cfg      SessionConfig
	store    *store.Store
	protects *http.CrossOriginProtection
	// rows has the tokens of sessions, by the hash of the cookie.
	rows *tokenReader[string]

	mu sync.Mutex
	// inMemory has the tokens of sessions without a row, by the hash of the cookie. links has the tokens of links, by
	// the hash of the code.
	inMemory, links map[string]heldToken
}

// A heldToken is a token that is used on behalf of a browser.
type heldToken struct {
	token string
	until time.Time
}

// NewSessions returns the sessions of a database.
func NewSessions(st *store.Store, cfg SessionConfig) *Sessions {
	if cfg.Authorize == nil {
		cfg.Authorize = Tokens(st)
	}
	if cfg.Life == 0 {
		cfg.Life = defaultSessionLife
	}
	if cfg.Statement == 0 {
		cfg.Statement = Limits{}.withDefaults().Statement
	}
	if cfg.Cookie == "" {
		cfg.Cookie = "attune_session"
	}
	return &Sessions{
		cfg: cfg, store: st, protects: http.NewCrossOriginProtection(), rows: newTokenReader(st, st.Tokens.OfSessions),
		inMemory: map[string]heldToken{}, links: map[string]heldToken{},
	}
}

// Authorize returns who sends a request: by its token if it has one, else by its session. It is a
// Config.Authorize.
func (s *Sessions) Authorize(r *http.Request) (Principal, error) {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ") // a proxy may pass its own on
	cookie, err := s.cookie(r)
	if err != nil || strings.EqualFold(scheme, "Bearer") {
		return s.cfg.Authorize(r)
	}
	hash := hashOf(cookie)
	if token, ok := s.take(s.inMemory, hash, false); ok {
		return s.cfg.Authorize(withToken(r, token))
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Statement)
	defer cancel()
	return s.rows.principal(ctx, hash, func(*store.TokenState) bool { return true }) // the hash is of a secret
}

// Has reports whether a request has the cookie of a session, valid or not.
func (s *Sessions) Has(r *http.Request) bool {
	_, err := s.cookie(r)
	return err == nil
}

// Link returns a code with which a browser can sign in with a token, once and within an hour. It can
// stand in a URL: it cannot be used again.
func (s *Sessions) Link(token string) (code string) {
	code = newSecret()
	s.hold(s.links, hashOf(code), heldToken{token, time.Now().Add(linkLife)})
	return code
}

// SignInWithLink signs a browser in with the code of a link. Call it for POST only: something that looks at a
// link in advance must not use it up. Errors: those of SignIn.
func (s *Sessions) SignInWithLink(w http.ResponseWriter, r *http.Request, code string) (Principal, error) {
	if err := s.fromHere(r); err != nil {
		return Principal{}, err
	}
	token, ok := s.take(s.links, hashOf(code), true)
	if !ok {
		return Principal{}, fmt.Errorf("%w: unknown or used link", ErrUnauthorized)
	}
	return s.SignIn(w, r, token)
}

// SignIn begins a session with a token and sets its cookie. The session that the browser had ends.
// Errors: ErrCrossOrigin; ErrUnauthorized for tokens that are not valid.
func (s *Sessions) SignIn(w http.ResponseWriter, r *http.Request, token string) (Principal, error) {
	if err := s.fromHere(r); err != nil {
		return Principal{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Statement)
	defer cancel()
	r = r.WithContext(ctx)
	p, err := s.cfg.Authorize(withToken(r, token))
	if err != nil {
		return Principal{}, err
	}
	secret := newSecret()
	if p.Token == 0 {
		s.hold(s.inMemory, hashOf(secret), heldToken{token, time.Now().Add(s.cfg.Life)})
	} else if _, err := s.store.Sessions.Create(r.Context(), hashOf(secret), p.Token, s.cfg.Life); err != nil {
		return Principal{}, err
	}
	if err := s.end(r); err != nil {
		return Principal{}, err
	}
	http.SetCookie(w, s.newCookie(r, secret, int(s.cfg.Life.Seconds())))
	return p, nil
}

// SignOut ends the session of a request and removes its cookie. Errors: ErrCrossOrigin.
func (s *Sessions) SignOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.fromHere(r); err != nil {
		return err
	}
	if err := s.end(r); err != nil {
		return err
	}
	http.SetCookie(w, s.newCookie(r, "", -1))
	return nil
}

// ErrCrossOrigin means that a page of another origin sent a request that changes something.
var ErrCrossOrigin = errors.New("the request comes from a page of another origin")

func (s *Sessions) fromHere(r *http.Request) error {
	if s.protects.Check(r) != nil {
		return ErrCrossOrigin
	}
	return nil
}

// end ends the session of a request, if it has one.
func (s *Sessions) end(r *http.Request) error {
	cookie, err := s.cookie(r)
	if err != nil {
		return nil
	}
	hash := hashOf(cookie)
	s.take(s.inMemory, hash, true)
	defer s.rows.forget(hash)
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Statement)
	defer cancel()
	return s.store.Sessions.Delete(ctx, hash)
}

// hold puts a token into one of the maps. A full map first loses the tokens that have ended, or else the one that ends
// first.
func (s *Sessions) hold(in map[string]heldToken, hash string, held heldToken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := ""
	for other, h := range in {
		if len(in) < maxInMemory {
			break
		}
		if time.Now().After(h.until) {
			delete(in, other)
		} else if first == "" || h.until.Before(in[first].until) {
			first = other
		}
	}
	if len(in) >= maxInMemory {
		delete(in, first)
	}
	in[hash] = held
}

// take returns the token in one of the maps, and removes it if it is for one use.
func (s *Sessions) take(from map[string]heldToken, hash string, once bool) (token string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := from[hash]
	late := time.Now().After(held.until)
	if once || late {
		delete(from, hash)
	}
	return held.token, ok && !late
}

// withToken returns a copy of a request that has a token.
func withToken(r *http.Request, token string) *http.Request {
	with := r.Clone(r.Context())
	with.Header.Set("Authorization", "Bearer "+token)
	return with
}

// secure reports whether the browser uses TLS.
func (s *Sessions) secure(r *http.Request) bool {
	return r.TLS != nil || s.cfg.BehindProxy && r.Header.Get("X-Forwarded-Proto") != "http"
}

// name returns the name of the cookie. Browsers send the cookies of a host to all its ports, so the port is part
// of it. With the prefix __Host-, no other host and no page without TLS can set the cookie.
func (s *Sessions) name(r *http.Request) string {
	name := s.cfg.Cookie
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "" {
		name += "_" + port
	}
	if s.secure(r) {
		name = "__Host-" + name
	}
	return name
}

// cookie returns the session's cookie of a request. Several mean that another site planted one.
func (s *Sessions) cookie(r *http.Request) (string, error) {
	found := r.CookiesNamed(s.name(r))
	if len(found) != 1 || found[0].Value == "" {
		return "", http.ErrNoCookie
	}
	return found[0].Value, nil
}

func (s *Sessions) newCookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: s.name(r), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.secure(r), SameSite: http.SameSiteStrictMode,
	}
}
