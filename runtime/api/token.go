package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// A token is att_ID_SECRET. The secret is 32 random bytes in the URL's base64.
const (
	tokenPrefix = "att_"
	secretSize  = 32
)

// NewToken creates a token of a scope that is valid for a time, or without an end if it is 0. The
// text of the token is returned and stored nowhere: the database keeps a hash of its secret. Errors:
// store.ErrInvalid.
func NewToken(
	ctx context.Context, st *store.Store, name string, scope Scope, valid time.Duration,
) (text string, row *schema.Token, err error) {
	secret := newSecret()
	row, err = st.Tokens.Create(ctx, name, hashOf(secret), string(scope), valid)
	if err != nil {
		return "", nil, err
	}
	return tokenPrefix + strconv.FormatInt(row.ID, 10) + "_" + secret, row, nil
}

func newSecret() string {
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // it never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// bearer returns the token of a request.
func bearer(r *http.Request) (id int64, secret string, err error) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	number, secret, ok := strings.Cut(strings.TrimPrefix(text, tokenPrefix), "_")
	id, err = strconv.ParseInt(number, 10, 64)
	switch {
	case scheme == "":
		return 0, "", fmt.Errorf("%w: no token", ErrUnauthorized)
	case !strings.EqualFold(scheme, "Bearer"), !strings.HasPrefix(text, tokenPrefix), !ok, err != nil,
		len(r.Header.Values("Authorization")) > 1:
		return 0, "", fmt.Errorf("%w: malformed token", ErrUnauthorized)
	}
	return id, secret, nil
}

// tokenFor is how long a token that was found valid is not looked up again. A revoked token can
// be used for that long.
const tokenFor = time.Second

// maxKnown bounds the tokens that are remembered.
const maxKnown = 10_000

// Tokens returns a Config.Authorize that accepts the tokens of a database. It remembers a valid
// token for a second, and writes when a token is used.
func Tokens(st *store.Store) func(*http.Request) (Principal, error) {
	t := &tokens{store: st, known: map[[sha256.Size]byte]knownToken{}}
	return t.authorize
}

type tokens struct {
	store *store.Store

	mu    sync.Mutex
	known map[[sha256.Size]byte]knownToken
}

type knownToken struct {
	principal Principal
	until     time.Time
}

func (t *tokens) authorize(r *http.Request) (Principal, error) {
	id, secret, err := bearer(r)
	if err != nil {
		return Principal{}, err
	}
	key := sha256.Sum256([]byte(strconv.FormatInt(id, 10) + "_" + secret))
	t.mu.Lock()
	known := t.known[key]
	t.mu.Unlock()
	if time.Now().Before(known.until) {
		return known.principal, nil
	}
	p, err := t.look(r.Context(), id, secret)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		delete(t.known, key)
		return Principal{}, err
	}
	if len(t.known) >= maxKnown {
		clear(t.known)
	}
	t.known[key] = knownToken{p, time.Now().Add(tokenFor)}
	return p, nil
}

// look reads a token.
func (t *tokens) look(ctx context.Context, id int64, secret string) (Principal, error) {
	row, err := t.store.Tokens.Get(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Principal{}, fmt.Errorf("%w: unknown token", ErrUnauthorized)
	case err != nil:
		return Principal{}, err
	case subtle.ConstantTimeCompare([]byte(row.Secret), []byte(hashOf(secret))) != 1:
		return Principal{}, fmt.Errorf("%w: wrong secret", ErrUnauthorized)
	case !row.Valid:
		return Principal{}, fmt.Errorf("%w: the token has ended", ErrUnauthorized)
	}
	if err := t.store.Tokens.MarkUsed(ctx, id); err != nil {
		return Principal{}, err
	}
	name := fmt.Sprintf("token %d %s", row.ID, row.Name)
	return Principal{Name: name, Scopes: []Scope{Scope(row.Scope)}, Token: row.ID}, nil
}

// ForThisRun returns a token that exists in this process only, with the scope Operate, and a
// Config.Authorize that accepts it and what next accepts.
func ForThisRun(next func(*http.Request) (Principal, error)) (text string, authorize func(*http.Request) (Principal, error)) {
	secret := newSecret()
	return tokenPrefix + "0_" + secret, func(r *http.Request) (Principal, error) {
		id, given, err := bearer(r)
		if err == nil && id == 0 && subtle.ConstantTimeCompare([]byte(given), []byte(secret)) == 1 {
			return Principal{Name: "the token of this run", Scopes: []Scope{Operate}}, nil
		}
		return next(r)
	}
}
