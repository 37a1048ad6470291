package web

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/attune-go/attune/runtime/api"
)

// A signIn is the data of the page that signs in.
type signIn struct {
	// Code is the code of a link. It is empty for readers who have a token.
	Code string
	// To is the address to go to afterwards, from the root.
	To string
	// Fault is why the last attempt failed. It is empty at the first one.
	Fault string
}

var signInPage = page{title: "Sign in", template: "sign-in"}

// sign adds the pages of sessions to the mux.
func (w *Web) sign() {
	w.mux.HandleFunc("GET /sign-in", w.showSignIn)
	w.mux.HandleFunc("POST /sign-in", w.signIn)
	w.mux.HandleFunc("POST /sign-out", w.signOut)
}

// showSignIn shows a form, also for a link: something that looks at a link in advance must not use it up.
func (w *Web) showSignIn(rw http.ResponseWriter, r *http.Request) {
	given := r.URL.Query()
	w.renderSignIn(rw, r, http.StatusOK, &signIn{Code: given.Get("code"), To: given.Get("to")})
}

func (w *Web) renderSignIn(rw http.ResponseWriter, r *http.Request, status int, data *signIn) {
	v := w.view(rw, r)
	v.status = status
	v.header.Set("Referrer-Policy", "strict-origin") // the address may have the code of a link
	data.To = safeAddress(data.To)
	w.render(v, &signInPage, data)
}

// signIn begins a session and goes on to where the reader wanted to go.
func (w *Web) signIn(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		w.fail(w.view(rw, r), &problem{Status: http.StatusBadRequest, Detail: "the form cannot be read"})
		return
	}
	var err error
	again := &signIn{To: r.PostForm.Get("to")}
	if code := r.PostForm.Get("code"); code != "" {
		again.Fault = "The link was used before, or is older than an hour. Sign in with a token."
		_, err = w.sessions.SignInWithLink(rw, r, code)
	} else {
		again.Fault = "The token is not valid: it is not complete, expired or revoked."
		_, err = w.sessions.SignIn(rw, r, strings.TrimSpace(r.PostForm.Get("token")))
	}
	switch {
	case errors.Is(err, api.ErrUnauthorized):
		w.renderSignIn(rw, r, http.StatusUnauthorized, again)
	case err != nil:
		w.fail(w.view(rw, r), crossOrigin(err))
	default:
		redirect(rw, rootOf(r)+safeAddress(again.To), "")
	}
}

// signOut ends the session.
func (w *Web) signOut(rw http.ResponseWriter, r *http.Request) {
	if err := w.sessions.SignOut(rw, r); err != nil {
		w.fail(w.view(rw, r), crossOrigin(err))
		return
	}
	redirect(rw, rootOf(r)+"sign-in", "")
}

func crossOrigin(err error) error {
	if errors.Is(err, api.ErrCrossOrigin) {
		return &problem{Status: http.StatusForbidden, Detail: "the form comes from a page of another origin"}
	}
	return err
}

// safeAddress returns the address of a page from the root, or the root's if it is anything else.
func safeAddress(to string) string {
	at, err := url.Parse(to)
	if err != nil || at.IsAbs() || at.Host != "" || at.Path == "" || path.Clean("/"+at.Path) != "/"+at.Path || strings.Contains(at.Path, `\`) {
		return ""
	}
	return (&url.URL{Path: at.Path, RawPath: at.RawPath, RawQuery: at.RawQuery}).String()
}

// leadToSignIn leads readers of a page who are not signed in to the form. It reports whether it has answered.
func (v *view) leadToSignIn() bool {
	mode := v.request.Header.Get("Sec-Fetch-Mode") // a script of the page needs the status
	if v.web.sessions == nil || v.request.Method == http.MethodPost || mode != "" && mode != "navigate" {
		return false
	}
	here := url.URL{Path: strings.TrimPrefix(v.request.URL.Path, "/"), RawQuery: v.request.URL.RawQuery}
	query := ""
	if to := safeAddress(here.String()); to != "" {
		query = url.Values{"to": {to}}.Encode()
	}
	redirect(v.writer, rootOf(v.request)+"sign-in", query)
	return true
}
