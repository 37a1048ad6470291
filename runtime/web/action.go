package web

import (
	"errors"
	"net/http"

	"github.com/attune-go/attune/runtime/api"
)

// maxForm is the size of the largest form that is read.
const maxForm = 64 << 10

// An action is what a form of a page does.
type action struct {
	// pattern is its path for http.ServeMux.
	pattern string
	// do does it and returns the relative address to go to.
	do func(*view) (to string, err error)
}

// actions lists the forms.
var actions = []action{
	{"/hosts/{id}/cordon", cordon},
	{"/hosts/{id}/uncordon", uncordon},
	{"/hosts/{id}/taint", taint},
	{"/hosts/{id}/untaint", untaint},
	{"/hosts/{id}/refresh", refresh},
}

// action returns the handler of a form. The API also checks the origin and the scope.
func (w *Web) action(a *action) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		v := w.view(rw, r)
		if err := w.protects.Check(r); err != nil {
			w.fail(v, &problem{Status: http.StatusForbidden, Detail: "the form comes from a page of another origin"})
			return
		}
		var err error
		if v.principal, err = w.api.Principal(r); err != nil {
			w.fail(v, refused(err))
			return
		}
		if !v.principal.May(api.Operate) {
			w.fail(v, &problem{Status: http.StatusForbidden, Detail: "it needs the scope operate"})
			return
		}
		r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			w.fail(v, &problem{Status: http.StatusBadRequest, Detail: "the form cannot be read"})
			return
		}
		to, err := a.do(v)
		if err != nil {
			w.fail(v, err)
			return
		}
		redirect(rw, to, "")
	})
}

// refused returns the problem of a request that the API does not authorize.
func refused(err error) error {
	var host *api.HostError
	switch {
	case errors.As(err, &host):
		return &problem{Status: http.StatusForbidden, Detail: host.Error()}
	case errors.Is(err, api.ErrUnauthorized):
		return &problem{Type: api.Unauthorized, Status: http.StatusUnauthorized, Title: "Sign in first"}
	}
	return err
}
