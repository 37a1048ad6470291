package web

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/attune-go/attune/runtime/api"
)

// A problem is why a page cannot be shown. It has the form of the API's problems.
type problem struct {
	Type   api.ProblemType `json:"type"`
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Detail string          `json:"detail"`
	Faults []api.Fault     `json:"faults"`
}

func (p *problem) Error() string { return cmp.Or(p.Detail, p.Title, http.StatusText(p.Status)) }

// Help returns what the reader can do.
func (p *problem) Help() string {
	switch p.Status {
	case http.StatusUnauthorized:
		return "Sign in with a token. An operator of the server makes one with `attune tokens create`."
	case http.StatusForbidden:
		return "Sign in with a token that allows it. An operator of the server makes one with `attune tokens create --scope operate`."
	case http.StatusNotFound:
		return "It may have been deleted, or the address is wrong. The fleet lists all hosts."
	case http.StatusBadRequest:
		return "Correct the address, or begin again from the fleet."
	case http.StatusTooManyRequests:
		return "Wait a second, and load the page again."
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "Check that the database runs and that the server reaches it, then load the page again. The server's log has the error."
	case http.StatusMethodNotAllowed:
		return "Use the buttons of the page."
	}
	return "The server's log has the error. Load the page again; if it stays, report it with that line of the log."
}

// problemOf returns the problem of an error. Errors of other types are logged, and their text is not shown.
func (w *Web) problemOf(v *view, err error) *problem {
	var p *problem
	if !errors.As(err, &p) {
		w.log.ErrorContext(v.request.Context(), "page failed", "path", v.request.URL.Path, "error", err)
		p = &problem{Status: api.StatusOf(err)}
	}
	p.Title = cmp.Or(p.Title, http.StatusText(p.Status))
	return p
}

// fail answers with the page of an error.
func (w *Web) fail(v *view, err error) {
	p := w.problemOf(v, err)
	if p.Status == http.StatusUnauthorized {
		if v.leadToSignIn() {
			return
		}
		v.header.Set("WWW-Authenticate", `Bearer realm="attune"`)
	}
	v.status = p.Status
	w.render(v, &problemPage, p)
}

var problemPage = page{title: "Problem", template: "problem"}
