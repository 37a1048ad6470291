package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/store"
)

// A ProblemType is the stable name of a kind of problem.
type ProblemType string

// The types. Clients may compare them.
const (
	InvalidRequest       ProblemType = "urn:attune:problem:invalid-request"
	Unauthorized         ProblemType = "urn:attune:problem:unauthorized"
	Forbidden            ProblemType = "urn:attune:problem:forbidden"
	NotFound             ProblemType = "urn:attune:problem:not-found"
	MethodNotAllowed     ProblemType = "urn:attune:problem:method-not-allowed"
	PreconditionFailed   ProblemType = "urn:attune:problem:precondition-failed"
	HistoryPruned        ProblemType = "urn:attune:problem:history-pruned"
	TooLarge             ProblemType = "urn:attune:problem:too-large"
	UnsupportedMediaType ProblemType = "urn:attune:problem:unsupported-media-type"
	TooManyRequests      ProblemType = "urn:attune:problem:too-many-requests"
	Internal             ProblemType = "urn:attune:problem:internal"
	Unavailable          ProblemType = "urn:attune:problem:unavailable"
	Late                 ProblemType = "urn:attune:problem:late"
)

// kinds has the status and the title of each type.
var kinds = map[ProblemType]struct {
	status int
	title  string
}{
	InvalidRequest:       {http.StatusBadRequest, "The request is wrong"},
	Unauthorized:         {http.StatusUnauthorized, "The request needs a valid token"},
	Forbidden:            {http.StatusForbidden, "The token does not allow this"},
	NotFound:             {http.StatusNotFound, "Not found"},
	MethodNotAllowed:     {http.StatusMethodNotAllowed, "The path does not have this method"},
	PreconditionFailed:   {http.StatusPreconditionFailed, "A condition of the request does not hold"},
	HistoryPruned:        {http.StatusGone, "Changes behind this id may have been deleted"},
	TooLarge:             {http.StatusRequestEntityTooLarge, "The body is too large"},
	UnsupportedMediaType: {http.StatusUnsupportedMediaType, "The body has another type"},
	TooManyRequests:      {http.StatusTooManyRequests, "Too many requests"},
	Internal:             {http.StatusInternalServerError, "The server failed"},
	Unavailable:          {http.StatusServiceUnavailable, "The server cannot answer now"},
	Late:                 {http.StatusGatewayTimeout, "The answer took too long"},
}

// A Fault is something wrong in a request.
type Fault = server.Fault

// A problem is an error with its answer.
type problem struct {
	kind   ProblemType
	detail string
	faults []Fault
}

func (p *problem) Error() string { return string(p.kind) + ": " + p.detail }

func invalid(faults ...Fault) *problem { return &problem{kind: InvalidRequest, faults: faults} }

// wrong returns the problem of one parameter.
func wrong(parameter, format string, args ...any) *problem {
	return invalid(Fault{Parameter: parameter, Message: fmt.Sprintf(format, args...)})
}

// problemOf returns the problem that the client receives for an error. The type Internal hides the
// error.
func problemOf(err error) *problem {
	var p *problem
	var host *HostError
	var size *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &host):
		return &problem{kind: Forbidden, detail: host.Error()}
	case errors.Is(err, ErrUnauthorized):
		return &problem{kind: Unauthorized}
	case errors.Is(err, ErrCrossOrigin):
		return &problem{kind: Forbidden, detail: ErrCrossOrigin.Error()}
	case errors.As(err, &size):
		return &problem{kind: TooLarge, detail: fmt.Sprintf("a body must have at most %d bytes", size.Limit)}
	case errors.Is(err, context.DeadlineExceeded):
		return &problem{kind: Late}
	}
	if p := parameterProblem(err); p != nil {
		return p
	}
	return databaseProblem(err)
}

// StatusOf returns the status with which an API answers an error of Config.Authorize or of Sessions. Pages beside the API use it.
func StatusOf(err error) int { return kinds[problemOf(err).kind].status }

// parameterProblem returns the problem of a parameter or a body, or nil.
func parameterProblem(err error) *problem {
	var term *answer.TermError
	var runtimeTerm *answer.RuntimeTermError
	var unknown *answer.UnknownRuntimeError
	var format *server.InvalidParamFormatError
	var required *server.RequiredParamError
	var requiredHeader *server.RequiredHeaderError
	var faults document.Faults
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &shape):
		return invalid(Fault{Pointer: "/" + strings.ReplaceAll(shape.Field, ".", "/"), Message: "must not be a JSON " + shape.Value})
	case errors.As(err, &term):
		return wrong(term.Key, "%s", textOf(term))
	case errors.As(err, &runtimeTerm):
		return wrong("runtime", "%s", runtimeTerm.Error())
	case errors.As(err, &unknown):
		message := unknown.Error()
		if unknown.Near != "" {
			message += "; did you mean " + unknown.Near + "?"
		}
		return wrong("", "%s", message)
	case errors.As(err, &format) && errors.As(format.Err, new(*strconv.NumError)):
		return wrong(format.ParamName, wholeNumber)
	case errors.As(err, &format):
		return wrong(format.ParamName, "cannot be read: %v", format.Err)
	case errors.As(err, &required):
		return wrong(required.ParamName, "must be given")
	case errors.As(err, &requiredHeader):
		return wrong(requiredHeader.ParamName, "must be given")
	case errors.As(err, &faults):
		p := invalid()
		for _, f := range faults {
			p.faults = append(p.faults, Fault{Pointer: f.Pointer, Message: f.Message})
		}
		return p
	case errors.Is(err, answer.ErrCursor):
		return wrong("after", "must be the cursor of this list")
	}
	return nil
}

// textOf returns what is wrong with a term.
func textOf(e *answer.TermError) string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return e.Error()
}

// databaseProblem returns the problem of an error of the store.
func databaseProblem(err error) *problem {
	var unavailable interface{ Timeout() bool }
	switch {
	case errors.Is(err, store.ErrNotFound):
		return &problem{kind: NotFound}
	case errors.Is(err, store.ErrForeign):
		return &problem{kind: Forbidden, detail: "the row is the platform's, and attune does not write it"}
	case isRefused(err):
		return &problem{kind: Forbidden, detail: "the server's login of the database may not do this; docs/roles.sql has what it needs"}
	case errors.As(err, &unavailable), isConnection(err):
		return &problem{kind: Unavailable, detail: "the database does not answer"}
	}
	return &problem{kind: Internal}
}

// fail answers a request with the problem of an error. It logs what the client does not learn.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNotModified) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if rec, ok := w.(*recorder); ok && rec.status != 0 { // the client was slow, or is gone
		a.cfg.Logger.DebugContext(r.Context(), "answer was cut off", "method", r.Method, "path", r.URL.Path, "error", err)
		return
	}
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // nobody reads the answer
	}
	p := problemOf(err)
	if p.kind == Internal || p.kind == Unavailable || p.kind == Late || isRefused(err) {
		a.cfg.Logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	p.write(w)
}

func (p *problem) write(w http.ResponseWriter) {
	kind := kinds[p.kind]
	text, err := json.Marshal(server.Problem{
		Type: string(p.kind), Title: kind.title, Status: kind.status, Detail: p.detail, Faults: p.faults,
	})
	if err != nil {
		panic(err) // texts and numbers only
	}
	h := w.Header()
	h.Del("ETag")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	switch p.kind {
	case Unauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="attune"`)
	case TooManyRequests, Unavailable:
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(kind.status)
	_, _ = w.Write(text) // nobody else to tell
}
