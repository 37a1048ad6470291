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
	tokens := &tokenReader{store: st.Tokens, reading: make(chan struct{}, 1), known: map[int64]*knownToken{}}
	return func(r *http.Request) (Principal, error) {
		id, secret, err := bearer(r)
		if err != nil {
			return Principal{}, err
		}
		row, err := tokens.get(r.Context(), id)
		if err != nil {
			return principalOf(nil, err)
		}
		if subtle.ConstantTimeCompare([]byte(row.Secret), []byte(hashOf(secret))) != 1 {
			return Principal{}, fmt.Errorf("%w: wrong secret", ErrUnauthorized)
		}
		p, err := principalOf(row, nil)
		if err == nil {
			err = tokens.use(r.Context(), id)
		}
		return p, err
	}
}

// A tokenReader reads tokens and remembers each for tokenFor. It reads those that are in use again with one statement: else
// many streams would read one each.
type tokenReader struct {
	store *store.Tokens
	// reading is full while known tokens are read again. Others wait for what is read.
	reading chan struct{}

	mu    sync.Mutex
	known map[int64]*knownToken
}

// A knownToken is a token that a client has shown.
type knownToken struct {
	row store.TokenState
	// read is when the row was read, used when a client proved that it has the token, and marked when that was written.
	read, used, marked time.Time
}

// markEvery is how often the use of a token is written.
const markEvery = time.Minute

// get returns a token, perhaps as it was a moment ago. Errors: store.ErrNotFound.
func (t *tokenReader) get(ctx context.Context, id int64) (*store.TokenState, error) {
	row, known := t.fresh(id)
	switch {
	case row != nil:
		return row, nil
	case !known: // guesses must not make others wait
		row, err := t.store.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		t.keep(*row)
		return row, nil
	}
	select {
	case t.reading <- struct{}{}:
		defer func() { <-t.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if row, _ := t.fresh(id); row != nil {
		return row, nil
	}
	ids, due := t.inUse(id)
	rows, err := t.store.Some(ctx, ids...)
	if err == nil {
		err = t.mark(ctx, due...)
	}
	if err != nil {
		return nil, err
	}
	t.keep(rows...)
	if row, _ := t.fresh(id); row != nil {
		return row, nil
	}
	t.forget(id)
	return nil, store.ErrNotFound
}

// fresh returns a token that was read within tokenFor, or nil, and whether it is known at all.
func (t *tokenReader) fresh(id int64) (row *store.TokenState, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.known[id]
	if k != nil && time.Since(k.read) < tokenFor {
		row := k.row
		return &row, true
	}
	return nil, k != nil
}

// inUse returns a token and those that streams show again and again, and of these the ones whose use is to be written.
func (t *tokenReader) inUse(id int64) (ids, due []int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids = []int64{id}
	for other, k := range t.known {
		recent := time.Since(k.used) < 2*recheck
		if recent && other != id {
			ids = append(ids, other)
		}
		if recent && time.Since(k.marked) >= markEvery {
			due = append(due, other)
		}
	}
	return ids, due
}

// use writes that a token is used if that is due.
func (t *tokenReader) use(ctx context.Context, id int64) error {
	t.mu.Lock()
	k := t.known[id]
	due := k == nil || time.Since(k.marked) >= markEvery
	if k != nil {
		k.used = time.Now()
	}
	t.mu.Unlock()
	if !due {
		return nil
	}
	return t.mark(ctx, id)
}

// mark writes that tokens are used.
func (t *tokenReader) mark(ctx context.Context, ids ...int64) error {
	if err := t.store.MarkUsed(ctx, ids...); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		if k := t.known[id]; k != nil {
			k.marked = time.Now()
		}
	}
	return nil
}

// forget forgets a token that is gone.
func (t *tokenReader) forget(id int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, id)
}

// keep remembers rows that were just read.
func (t *tokenReader) keep(rows ...store.TokenState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxKnown {
		clear(t.known)
	}
	for _, row := range rows {
		k := t.known[row.ID]
		if k == nil {
			k = &knownToken{}
			t.known[row.ID] = k
		}
		k.row, k.read = row, time.Now()
	}
}

// principalOf returns the principal of a token that was read, or the error of reading it.
func principalOf(row *store.TokenState, err error) (Principal, error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Principal{}, fmt.Errorf("%w: unknown token", ErrUnauthorized)
	case err != nil:
		return Principal{}, err
	case !row.Valid:
		return Principal{}, fmt.Errorf("%w: the token has ended", ErrUnauthorized)
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
