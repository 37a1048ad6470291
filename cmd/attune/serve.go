package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/net/netutil"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/web"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type serveCmd struct {
	Listen      string `help:"Address; without a host, this machine alone (default: ${default})." default:"127.0.0.1:8642" placeholder:"[HOST]:PORT"`
	TLSCert     string `help:"Certificate with its chain, as PEM; read again at SIGHUP." type:"path" placeholder:"FILE"`
	TLSKey      string `help:"Key of the certificate, as PEM." type:"path" placeholder:"FILE"`
	BehindProxy bool   `help:"Serve other machines without TLS: a proxy in front of this server has it."`
	NoAuth      bool   `help:"Serve without tokens: this machine alone, and reading only."`
}

// Help returns the longer text of --help.
func (c *serveCmd) Help() string {
	return "Serves the HTTP API that /openapi.json describes, and a page over it at /ui/. Clients need a token of " +
		"`attune tokens create`. Without any in the database, the server makes one for this run, and prints it and a link that " +
		"signs a browser in. Other machines are served with TLS only, or behind a proxy that has it. SIGTERM ends it: streams " +
		"are closed, and open requests have 10 seconds."
}

// Logger makes the log, from info upwards by default, and as JSON with --json.
func (c *serveCmd) Logger(env *cli.Env) error {
	level := slog.LevelInfo
	if _, given := env.Flags["--log-level"]; given {
		var err error
		if level, err = env.Level(); err != nil {
			return err
		}
	}
	options := &slog.HandlerOptions{Level: level}
	env.Log = slog.New(slog.NewTextHandler(cli.Escaped(env.Err), options))
	if env.JSON {
		env.Log = slog.New(slog.NewJSONHandler(cli.Escaped(env.Err), options))
	}
	return nil
}

// check returns the address, or a usage error for flags that do not go together.
func (c *serveCmd) check() (address string, err error) {
	host, port, err := config.ListenAddress(c.Listen)
	if err != nil {
		return "", cli.Usagef("--listen: %v", err)
	}
	ip, _ := netip.ParseAddr(host)
	here := host == "localhost" || ip.IsLoopback()
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return "", cli.Usagef("--tls-cert and --tls-key go together")
	case c.NoAuth && (!here || c.BehindProxy || c.TLSCert != ""):
		return "", cli.Usagef("--no-auth serves this machine alone: it goes with a loopback address, without a proxy and without TLS")
	case !here && c.TLSCert == "" && !c.BehindProxy:
		return "", cli.Usagef("--listen %s serves other machines, and tokens must not be sent in the clear: "+
			"give --tls-cert and --tls-key, or --behind-proxy if a proxy has TLS", c.Listen)
	}
	return net.JoinHostPort(host, port), nil
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, env *cli.Env) error {
	address, err := c.check()
	if err != nil {
		return err
	}
	db, err := openToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	authorize, sessions, token := api.Loopback, (*api.Sessions)(nil), ""
	if !c.NoAuth {
		if sessions, token, err = c.sessions(ctx, db); err != nil {
			return err
		}
		authorize = sessions.Authorize
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a, err := api.New(db.Store, api.Config{
		Authorize: authorize, Registry: registry, Logger: env.Log, Words: words, Retired: packs.Retired,
		Definitions: func(ctx context.Context) ([]metadata.Definition, error) {
			found, err := db.Definitions(ctx)
			return found.Definitions, err
		},
	})
	if err != nil {
		return err
	}
	page, err := web.New(a, web.Config{Sessions: sessions, Command: cli.Command, Logger: env.Log})
	if err != nil {
		return err
	}
	handler := withPage(a.Handler(), page.Handler())
	if c.NoAuth {
		handler = api.OnlyLoopback(handler)
	}
	s := newServer(a, handler, env.Log)
	if token != "" {
		s.announce = func(url string) { c.announce(env, sessions, token, url) }
	}
	return s.serve(ctx, address, c.TLSCert, c.TLSKey)
}

// pagePath is where the page is.
const pagePath = "/ui/"

// withPage serves the page beside the API, and leads from the root to it.
func withPage(api, page http.Handler) http.Handler {
	page = http.StripPrefix(strings.TrimSuffix(pagePath, "/"), page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path+"/" == pagePath || strings.HasPrefix(r.URL.Path, pagePath):
			page.ServeHTTP(w, r)
		case r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			// The address is relative, so that it is right behind a proxy that strips a prefix.
			w.Header().Set("Location", strings.TrimPrefix(pagePath, "/"))
			w.WriteHeader(http.StatusSeeOther)
		default:
			api.ServeHTTP(w, r)
		}
	})
}

// sessions returns what authorizes requests, and the token of this run if the database has no valid one.
func (c *serveCmd) sessions(ctx context.Context, db *cli.Database) (sessions *api.Sessions, token string, err error) {
	all, err := db.Store.Tokens.List(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", db.Name, err)
	}
	cfg := api.SessionConfig{BehindProxy: c.BehindProxy}
	if !slices.ContainsFunc(all, func(t store.TokenState) bool { return t.Valid }) {
		token, cfg.Authorize = api.ForThisRun(api.Tokens(db.Store))
	}
	return api.NewSessions(db.Store, cfg), token, nil
}

// announce prints the token of this run and a link that signs a browser in with it. The link has a code in place of the
// token, because browsers and proxies keep addresses.
func (c *serveCmd) announce(env *cli.Env, sessions *api.Sessions, token, url string) {
	if c.BehindProxy {
		url = "https://YOUR-PROXY"
	}
	env.Err.Printf("the database has no valid token; this one is for this run: %s\n", token)
	env.Err.Printf("to sign a browser in, open once within an hour: %s%ssign-in?code=%s\n", url, pagePath, sessions.Link(token))
}

// An apiServer serves an API.
type apiServer struct {
	api  *api.API
	http *http.Server
	log  *slog.Logger
	// connections is the number of connections that are served at a time.
	connections int
	// announce is called with the URL of the server once it listens. It may be nil.
	announce func(url string)
}

// newServer returns a server whose clients have bounded times, headers and connections.
func newServer(a *api.API, handler http.Handler, log *slog.Logger) *apiServer {
	return &apiServer{api: a, log: log, connections: maxConnections, http: &http.Server{
		Handler: handler, MaxHeaderBytes: 16 << 10, ReadHeaderTimeout: headerTimeout, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
}

// hostOf returns the host and the port by which browsers reach an address: the name of this machine if it is any address.
func hostOf(address net.Addr) string {
	at, ok := address.(*net.TCPAddr)
	name, err := os.Hostname()
	if !ok || err != nil || !at.IP.IsUnspecified() {
		return address.String()
	}
	return net.JoinHostPort(name, strconv.Itoa(at.Port))
}

// headerTimeout bounds how long a client may take for its headers.
const headerTimeout = 5 * time.Second

// maxConnections is the number of connections that are served at a time. Others wait in the backlog of
// the system until one ends: clients that send nothing are cut off after headerTimeout.
const maxConnections = 4096

// endWithin is how long open requests have at the end.
const endWithin = 10 * time.Second

// serve serves until ctx ends: then the streams end, and open requests are waited for.
func (s *apiServer) serve(ctx context.Context, address, cert, key string) error {
	listener, err := (&net.ListenConfig{Control: endVanished}).Listen(ctx, "tcp", address)
	if err != nil {
		//nolint:errorlint // wrapped, it would count as the error of a database that is away
		return fmt.Errorf("--listen: %v; name another port, or a host that is this machine", err)
	}
	scheme, serve := "http", s.http.Serve
	if cert != "" {
		pair, err := newKeyPair(cert, key)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer pair.follow(s.log)()
		s.http.TLSConfig = pair.config()
		scheme, serve = "https", func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	} else { // a reload of the service must not end the server
		defer onHangup(func() { s.log.Info("there is no certificate to read again") })()
	}
	listener = netutil.LimitListener(listener, s.connections)
	ran, served := make(chan error, 1), make(chan error, 1)
	following, stop := context.WithCancel(ctx)
	defer stop()
	go func() { ran <- s.api.Run(following) }()
	go func() { served <- serve(listener) }()
	s.log.Info("serving", "url", scheme+"://"+listener.Addr().String())
	if s.announce != nil {
		s.announce(scheme + "://" + hostOf(listener.Addr()))
	}
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	stop()
	err = errors.Join(err, <-ran)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	if late := s.http.Shutdown(end); late != nil {
		s.log.Warn("open requests were cut off", "error", late)
		_ = s.http.Close() // they were told
	}
	s.log.Info("ended")
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
