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
	"maps"
	"net/http"
	"slices"
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

// maxKnown bounds the tokens and the sessions that are remembered, each.
const maxKnown = 10_000

// Tokens returns a Config.Authorize that accepts the tokens of a database. It remembers a valid
// token for a second, and writes when a token is used.
func Tokens(st *store.Store) func(*http.Request) (Principal, error) {
	tokens := newTokenReader(st, func(ctx context.Context, ids ...int64) (map[int64]store.TokenState, error) {
		rows, err := st.Tokens.Some(ctx, ids...)
		found := map[int64]store.TokenState{}
		for i := range rows {
			found[rows[i].ID] = rows[i]
		}
		return found, err
	})
	return func(r *http.Request) (Principal, error) {
		id, secret, err := bearer(r)
		if err != nil {
			return Principal{}, err
		}
		return tokens.principal(r.Context(), id, func(row *store.TokenState) bool {
			return subtle.ConstantTimeCompare([]byte(row.Secret), []byte(hashOf(secret))) == 1
		})
	}
}

// A tokenReader reads tokens by what stands for them, and remembers each for tokenFor. It reads those that are in use again
// with one statement: else many streams would read one each.
type tokenReader[K comparable] struct {
	store *store.Tokens
	// read reads the tokens of keys.
	read func(ctx context.Context, keys ...K) (map[K]store.TokenState, error)
	// reading is full while known tokens are read again. Others wait for what is read.
	reading chan struct{}

	mu    sync.Mutex
	known map[K]*knownToken
}

// A knownToken is a token that a client has shown.
type knownToken struct {
	row store.TokenState
	// at is when the row was read, used when a client proved that it has the token, and marked when that was written.
	at, used, marked time.Time
}

// markEvery is how often the use of a token is written.
const markEvery = time.Minute

func newTokenReader[K comparable](
	st *store.Store, read func(ctx context.Context, keys ...K) (map[K]store.TokenState, error),
) *tokenReader[K] {
	return &tokenReader[K]{store: st.Tokens, read: read, reading: make(chan struct{}, 1), known: map[K]*knownToken{}}
}

// principal returns the principal of a token if the client has proven it, and writes that it is used. Errors: ErrUnauthorized.
func (t *tokenReader[K]) principal(ctx context.Context, key K, isProven func(*store.TokenState) bool) (Principal, error) {
	row, err := t.get(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Principal{}, fmt.Errorf("%w: unknown token or session", ErrUnauthorized)
	case err != nil:
		return Principal{}, err
	case !isProven(row):
		return Principal{}, fmt.Errorf("%w: wrong secret", ErrUnauthorized)
	case !row.Valid:
		return Principal{}, fmt.Errorf("%w: the token has ended", ErrUnauthorized)
	}
	name := fmt.Sprintf("token %d %s", row.ID, row.Name)
	return Principal{Name: name, Scopes: []Scope{Scope(row.Scope)}, Token: row.ID}, t.use(ctx, key, row.ID)
}

// get returns a token, perhaps as it was a moment ago. Errors: store.ErrNotFound.
func (t *tokenReader[K]) get(ctx context.Context, key K) (*store.TokenState, error) {
	row, known := t.fresh(key)
	if row != nil {
		return row, nil
	}
	keys, due := []K{key}, map[K]int64(nil)
	if known { // else it may be a guess, which must not make others wait
		select {
		case t.reading <- struct{}{}:
			defer func() { <-t.reading }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if row, _ := t.fresh(key); row != nil {
			return row, nil
		}
		keys, due = t.inUse(key)
	}
	rows, err := t.read(ctx, keys...)
	if err == nil {
		err = t.mark(ctx, due)
	}
	if err != nil {
		return nil, err
	}
	t.keep(rows)
	if row, ok := rows[key]; ok {
		return &row, nil
	}
	t.forget(key)
	return nil, store.ErrNotFound
}

// fresh returns a token that was read within tokenFor, or nil, and whether it is known at all.
func (t *tokenReader[K]) fresh(key K) (row *store.TokenState, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.known[key]
	if k != nil && time.Since(k.at) < tokenFor {
		row := k.row
		return &row, true
	}
	return nil, k != nil
}

// inUse returns a key and those that streams show again and again, and the tokens of these whose use is to be written.
func (t *tokenReader[K]) inUse(key K) (keys []K, due map[K]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys, due = []K{key}, map[K]int64{}
	for other, k := range t.known {
		recent := time.Since(k.used) < 2*recheck
		if recent && other != key {
			keys = append(keys, other)
		}
		if recent && time.Since(k.marked) >= markEvery {
			due[other] = k.row.ID
		}
	}
	return keys, due
}

// use writes that a token is used if that is due.
func (t *tokenReader[K]) use(ctx context.Context, key K, id int64) error {
	t.mu.Lock()
	k := t.known[key]
	due := k == nil || time.Since(k.marked) >= markEvery
	if k != nil {
		k.used = time.Now()
	}
	t.mu.Unlock()
	if !due {
		return nil
	}
	return t.mark(ctx, map[K]int64{key: id})
}

// mark writes that tokens are used.
func (t *tokenReader[K]) mark(ctx context.Context, tokens map[K]int64) error {
	if err := t.store.MarkUsed(ctx, slices.Collect(maps.Values(tokens))...); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range tokens {
		if k := t.known[key]; k != nil {
			k.marked = time.Now()
		}
	}
	return nil
}

// forget forgets a token.
func (t *tokenReader[K]) forget(key K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, key)
}

// keep remembers tokens that were just read.
func (t *tokenReader[K]) keep(rows map[K]store.TokenState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxKnown {
		clear(t.known)
	}
	for key, row := range rows {
		k := t.known[key]
		if k == nil {
			k = &knownToken{}
			t.known[key] = k
		}
		k.row, k.at = row, time.Now()
	}
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
