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

// maxKnown bounds the principals that are remembered.
const maxKnown = 10_000

// recent remembers principals for tokenFor, by hashes of what they have shown.
type recent struct {
	mu    sync.Mutex
	known map[string]knownPrincipal
}

type knownPrincipal struct {
	principal Principal
	until     time.Time
}

func newRecent() *recent { return &recent{known: map[string]knownPrincipal{}} }

// get returns the principal of a hash. It calls look for one that is not remembered.
func (c *recent) get(hash string, look func() (Principal, error)) (Principal, error) {
	c.mu.Lock()
	known := c.known[hash]
	c.mu.Unlock()
	if time.Now().Before(known.until) {
		return known.principal, nil
	}
	p, err := look()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		delete(c.known, hash)
		return Principal{}, err
	}
	if len(c.known) >= maxKnown {
		clear(c.known)
	}
	c.known[hash] = knownPrincipal{p, time.Now().Add(tokenFor)}
	return p, nil
}

// forget forgets the principal of a hash.
func (c *recent) forget(hash string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, hash)
}

// Tokens returns a Config.Authorize that accepts the tokens of a database. It remembers a valid
// token for a second, and writes when a token is used.
func Tokens(st *store.Store) func(*http.Request) (Principal, error) {
	known := newRecent()
	return func(r *http.Request) (Principal, error) {
		id, secret, err := bearer(r)
		if err != nil {
			return Principal{}, err
		}
		return known.get(hashOf(strconv.FormatInt(id, 10)+"_"+secret), func() (Principal, error) {
			return principalOf(r.Context(), st, id, func(hash string) bool {
				return subtle.ConstantTimeCompare([]byte(hash), []byte(hashOf(secret))) == 1
			})
		})
	}
}

// principalOf returns the principal of a token in the database, if isProof accepts the hash of its
// secret, and writes that the token is used.
func principalOf(ctx context.Context, st *store.Store, id int64, isProof func(hash string) bool) (Principal, error) {
	row, err := st.Tokens.Get(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Principal{}, fmt.Errorf("%w: unknown token", ErrUnauthorized)
	case err != nil:
		return Principal{}, err
	case !isProof(row.Secret):
		return Principal{}, fmt.Errorf("%w: wrong secret", ErrUnauthorized)
	case !row.Valid:
		return Principal{}, fmt.Errorf("%w: the token has ended", ErrUnauthorized)
	}
	if err := st.Tokens.MarkUsed(ctx, id); err != nil {
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
