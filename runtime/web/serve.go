package web

import (
	"net/http"
	"path"
	"strings"
	"time"
)

// policy is the Content-Security-Policy of every answer: nothing from elsewhere, and nothing inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// writeWithin bounds how long an answer may take, with the time that its reader takes, and readWithin how long the form of a
// request may take. The API has bounds of its own for streams.
const (
	writeWithin = 2 * time.Minute
	readWithin  = 10 * time.Second
)

// serve answers a request: it sets the headers that every answer has, and finds the page.
func (w *Web) serve(rw http.ResponseWriter, r *http.Request) {
	began := time.Now()
	control := http.NewResponseController(rw) // tests may have no connection
	_ = control.SetWriteDeadline(began.Add(writeWithin))
	if r.ContentLength != 0 { // the server also discards a body that is not read
		_ = control.SetReadDeadline(began.Add(readWithin))
	}
	h := rw.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Browsers send the origin "null" with forms under no-referrer, which CrossOriginProtection refuses.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding, Authorization, Cookie")
	if r.URL.Path == "" { // mounted with http.StripPrefix, and called without the slash at the end
		address, _, _ := strings.Cut(r.RequestURI, "?")
		redirect(rw, path.Base(address)+"/", r.URL.RawQuery)
		return
	}
	// ServeMux would redirect to the clean path, outside of the prefix under which the page is mounted.
	if clean := path.Clean(r.URL.Path); clean != r.URL.Path {
		w.fail(w.view(rw, r), &problem{Status: http.StatusNotFound})
		return
	}
	_, pattern := w.mux.Handler(r)
	switch allowed := w.allowed(r); {
	case pattern != "":
		w.mux.ServeHTTP(rw, r)
	case allowed != "":
		h.Set("Allow", allowed)
		w.fail(w.view(rw, r), &problem{Status: http.StatusMethodNotAllowed, Title: "This address has another method"})
	default:
		w.fail(w.view(rw, r), &problem{Status: http.StatusNotFound})
	}
}

// allowed returns the other methods that a path has.
func (w *Web) allowed(r *http.Request) string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := *r
		other.Method = method
		if _, pattern := w.mux.Handler(&other); pattern != "" {
			methods = append(methods, method)
		}
	}
	return strings.Join(methods, ", ")
}

// redirect sends the reader to a relative address, which is right under every prefix. http.Redirect would
// make it absolute by the path that is left of the prefix.
func redirect(rw http.ResponseWriter, to, query string) {
	if query != "" {
		to += "?" + query
	}
	rw.Header().Set("Location", to)
	rw.WriteHeader(http.StatusSeeOther)
}

// rootOf returns the relative address of the page's root, as seen from a request's address.
func rootOf(r *http.Request) string {
	depth := strings.Count(r.URL.EscapedPath(), "/") - 1
	if depth <= 0 {
		return "./"
	}
	return strings.Repeat("../", depth)
}

// live passes the stream of changes on: the page needs no address of the API.
func (w *Web) live(rw http.ResponseWriter, r *http.Request) {
	w.api.Handler().ServeHTTP(rw, inner(r, http.MethodGet, "/v1/changes", r.URL.Query(), nil))
}
