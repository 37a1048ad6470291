// Package web serves the page for operators: the fleet, one host, and what changes, as HTML that works
// without script. It asks an api.API in its own process, with the request's own credentials, so that a
// page shows what its reader may read by the API. A page can be mounted in any server, under any prefix:
//
//	a, err := api.New(st, api.Config{Authorize: authorize})
//	…
//	page, err := web.New(a, web.Config{})
//	…
//	mux.Handle("/attune/ui/", http.StripPrefix("/attune/ui", page.Handler()))
//
// All links are relative, so that a proxy may strip or add a prefix too.
package web

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/attune-go/attune/runtime/api"
)

// A Config configures a Web.
type Config struct {
	// Sessions sign browsers in, for an API that they authorize. Nil leaves that to the server in which the page
	// is mounted.
	Sessions *api.Sessions
	// Command returns what to type for a program of attune: attune, worker or sensor. Defaults to its name.
	Command func(program string) string
	// Logger logs failures. Defaults to slog.Default().
	Logger *slog.Logger
}

// A Web serves the page. New returns one; its zero value cannot be used.
type Web struct {
	api      *api.API
	sessions *api.Sessions
	command  func(program string) string
	log      *slog.Logger
	mux      *http.ServeMux
	protects *http.CrossOriginProtection
	handler  http.Handler
}

// ErrNoAPI means that New was called without an API.
var ErrNoAPI = errors.New("the page needs an API")

// New returns the page over an API. It does not use the database. The page is live while the API runs.
// Errors: ErrNoAPI.
func New(a *api.API, cfg Config) (*Web, error) {
	if a == nil {
		return nil, ErrNoAPI
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Command == nil {
		cfg.Command = func(program string) string { return program }
	}
	w := &Web{
		api: a, sessions: cfg.Sessions, command: cfg.Command, log: cfg.Logger,
		mux: http.NewServeMux(), protects: http.NewCrossOriginProtection(),
	}
	for i := range pages {
		w.mux.Handle("GET "+pages[i].pattern, w.page(&pages[i]))
	}
	for i := range actions {
		w.mux.Handle("POST "+actions[i].pattern, w.action(&actions[i]))
	}
	if w.sessions != nil {
		w.sign()
	}
	w.mux.HandleFunc("GET /live", w.live)
	w.mux.HandleFunc("GET /static/{name}", serveAsset)
	w.handler = http.HandlerFunc(w.serve)
	return w, nil
}

// Handler returns the handler of all paths of the page. Mount it with http.StripPrefix under a prefix
// that ends in a slash.
func (w *Web) Handler() http.Handler { return w.handler }
