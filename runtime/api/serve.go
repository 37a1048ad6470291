package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// The sizes of the largest bodies that are read. A requirement has 64 KiB, and a form has the parameters of a query.
const (
	maxBody = 64 << 10
	maxForm = 1 << 20
)

// Header is a header that every answer has, with the version of the API. Clients send a token only
// to servers that have answered with it.
const Header = "Attune-Api"

// A call is a request while it is answered.
type call struct {
	op        *operation
	principal Principal
	request   *http.Request
	header    http.Header
	// definitions are those that the call read. Nil before.
	definitions *definitions
	// list identifies the list of workers that a page is a part of, for cursors. It is empty for other lists.
	list string
}

type callKey struct{}

// callOf returns the call that a context belongs to.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// serve answers a request: it finds the operation, checks the principal and the request, and calls
// the operation.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	rec := &recorder{ResponseWriter: w}
	op, allowed := a.router.find(r)
	defer func() {
		a.recover(rec, r, recover())
		a.metrics.observe(op, rec.status, time.Since(began))
	}()
	control := http.NewResponseController(w) // tests may have no connection
	within := a.cfg.Limits.Statement + a.cfg.Limits.Write
	if op != nil && op.id == followed {
		within += longestWait
	}
	_ = control.SetWriteDeadline(began.Add(within))
	if r.ContentLength != 0 { // the server also discards a body that is not read
		_ = control.SetReadDeadline(began.Add(a.cfg.Limits.Body))
	}
	h := w.Header()
	h.Set(Header, "1")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept, Authorization, Cookie")
	switch {
	case op == nil && allowed != nil:
		h.Set("Allow", strings.Join(allowed, ", "))
		(&problem{kind: MethodNotAllowed}).write(rec)
		return
	case op == nil:
		(&problem{kind: NotFound}).write(rec)
		return
	}
	ctx, cancel := a.bounded(r.Context())
	defer cancel()
	timely := r.WithContext(ctx)
	timely.URL = op.separated(r.URL)
	c, err := a.admit(rec, timely, op)
	if err == nil && op.body == formBody {
		timely, err = c.asQuery(timely)
	}
	if err != nil {
		a.fail(rec, r, err)
		return
	}
	if op.id == followed { // it has limits of its own
		ctx = r.Context()
	}
	c.request = timely.WithContext(context.WithValue(ctx, callKey{}, c))
	a.router.mux.ServeHTTP(rec, c.request)
}

// followed is the operation that may wait and stream.
const followed = "listChanges"

// admit returns the call of a request that may be answered. The order of its checks is the order
// of what a client learns: first who it is, then what it may do, then what is wrong.
func (a *API) admit(w http.ResponseWriter, r *http.Request, op *operation) (*call, error) {
	c := &call{op: op, header: w.Header()}
	if err := a.protects.Check(r); err != nil {
		return nil, ErrCrossOrigin
	}
	if op.scope != "" {
		var err error
		if c.principal, err = a.cfg.Authorize(r); err != nil {
			return nil, err
		}
		if !a.limiter.allow(c.principal.Name) {
			return nil, &problem{kind: TooManyRequests}
		}
		if !c.principal.May(op.scope) {
			return nil, &problem{kind: Forbidden, detail: fmt.Sprintf("it needs the scope %s", op.scope)}
		}
	}
	if faults := op.faults(r); len(faults) > 0 {
		return nil, invalid(faults...)
	}
	return c, readBody(w, r, op)
}

// mayStill returns an error unless the principal of a call may still do what it asks. Errors: those of
// Config.Authorize; ErrUnauthorized.
func (a *API) mayStill(c *call) error {
	ctx, cancel := a.bounded(c.request.Context())
	defer cancel()
	p, err := a.cfg.Authorize(c.request.WithContext(ctx))
	if err == nil && (p.Name != c.principal.Name || !p.May(c.op.scope)) {
		err = fmt.Errorf("%w: another principal", ErrUnauthorized)
	}
	return err
}

// readBody reads the body of a request, so that handlers find a small and whole document.
func readBody(w http.ResponseWriter, r *http.Request, op *operation) error {
	if op.body == "" {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != op.body {
		return &problem{kind: UnsupportedMediaType, detail: "the body must be " + op.body}
	}
	most := int64(maxBody)
	if op.body == formBody {
		most = maxForm
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		var size *http.MaxBytesError
		if errors.As(err, &size) {
			return err
		}
		return invalid(Fault{Message: "the body cannot be read"})
	}
	if op.body == jsonBody {
		if err := checkJSON(text, op.shape); err != nil {
			return err
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return nil
}

// checkJSON returns an error unless a text is one object with the keys that a shape has.
func checkJSON(text []byte, of *shape) error {
	if !json.Valid(text) {
		return invalid(Fault{Message: "the body must be one JSON document"})
	}
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return invalid(Fault{Message: "the body must be an object"})
	}
	if faults := of.unknownKeys(text, ""); len(faults) > 0 {
		return invalid(faults...)
	}
	return nil
}

// asQuery turns the call of a form into a call of GET with the parameters of the form, and returns its request.
func (c *call) asQuery(r *http.Request) (*http.Request, error) {
	form, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c.op = spec().query(c.op)
	get := r.Clone(r.Context())
	get.Method, get.URL.RawQuery, get.Body = http.MethodGet, string(form), http.NoBody
	get.URL = c.op.separated(get.URL)
	if faults := c.op.faults(get); len(faults) > 0 {
		return nil, invalid(faults...)
	}
	return get, nil
}

// recover answers a request whose handler panicked.
func (a *API) recover(w *recorder, r *http.Request, panicked any) {
	if panicked == nil {
		return
	}
	if err, ok := panicked.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(panicked)
	}
	a.cfg.Logger.ErrorContext(r.Context(), "request panicked", "method", r.Method, "path", r.URL.Path, "panic", panicked)
	if w.status == 0 {
		(&problem{kind: Internal}).write(w)
	}
}

// A recorder is a writer that knows the status.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the first status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap returns the writer for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
