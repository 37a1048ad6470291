package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/store"
)

// errNotModified means that the client has the revision that the answer would have.
var errNotModified = errors.New("not modified")

// tag sets the revision of an answer, which is made of parts. It returns errNotModified if the
// client has it. Revisions are weak: heartbeats, which are part of an answer, do not change them.
func (c *call) tag(parts ...any) error {
	hash := sha256.New()
	enc := json.NewEncoder(hash)
	for _, part := range append([]any{c.op.id, c.request.URL.RawQuery}, parts...) {
		if err := enc.Encode(part); err != nil {
			return err
		}
	}
	tag := `W/"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:12]) + `"`
	c.header.Set("ETag", tag)
	if err := c.checkMatch(true); err != nil { // it comes first, by RFC 9110
		return err
	}
	if matches(c.request.Header, "If-None-Match", tag) {
		return errNotModified
	}
	return nil
}

// tagWorkers sets the revision of an answer that is made of workers and parts. It is called before the answer is
// read, because what is read later is at least as new. It returns false if one of the workers is missing or the
// database has no revisions of workers. The revision is then made of the answer itself.
func (a *API) tagWorkers(ctx context.Context, ids []int64, parts ...any) (tagged bool, err error) {
	for _, id := range ids {
		revision, err := a.store.Workers.Revision(ctx, id)
		if revision == "" || err != nil {
			if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
			return false, err
		}
		parts = append(parts, revision)
	}
	return true, callOf(ctx).tag(append([]any{ids}, parts...)...)
}

// matches reports whether a header of a request lists a revision, or is *. Revisions are compared
// as RFC 9110 compares weakly.
func matches(h http.Header, name, tag string) bool {
	for _, value := range h.Values(name) {
		for one := range strings.SplitSeq(value, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}

// checkMatch returns an error if If-Match or, for a POST, If-None-Match: * forbids the request. If-Match compares strongly, so
// no revision matches, and only * does. represented reports whether the resource has a representation for it: one worker
// has, a selection has not.
func (c *call) checkMatch(represented bool) error {
	if c.request.Method == http.MethodPost && slices.ContainsFunc(c.request.Header.Values("If-None-Match"), isAny) {
		return &problem{kind: PreconditionFailed}
	}
	values := c.request.Header.Values("If-Match")
	if len(values) == 0 || represented && slices.ContainsFunc(values, isAny) {
		return nil
	}
	return &problem{kind: PreconditionFailed}
}

// isAny reports whether the value of If-Match or If-None-Match is any revision.
func isAny(value string) bool { return strings.TrimSpace(value) == "*" }

// withoutHeartbeat returns workers without what heartbeats change.
func withoutHeartbeat(workers ...answer.WorkerItem) []answer.WorkerItem {
	steady := make([]answer.WorkerItem, len(workers))
	for i := range workers {
		steady[i] = workers[i]
		steady[i].LastHeartbeat, steady[i].SilentSeconds = nil, nil
	}
	return steady
}

// bounded returns the context of a call, which ends after the longest time for a statement.
func (a *API) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, a.cfg.Limits.Statement)
}
