package hostcmd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/runtime/service/prometheusmetrics"
	"github.com/attune-go/attune/schema/metadata"
)

// A server answers questions about a service. Its zero value does not.
type server struct {
	listener net.Listener
	registry *prometheus.Registry
	metrics  *prometheusmetrics.Metrics // nil without a listener
	http     *http.Server
}

// listen listens on an address; without a host, on this machine alone. Empty is
// nowhere.
func listen(ctx context.Context, env *cli.Env, role metadata.Role, address string) (*server, error) {
	if address == "" {
		return &server{}, nil
	}
	host, port, err := config.ListenAddress(address)
	if err != nil {
		return nil, env.Refused(string(role)+".listen", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		//nolint:errorlint // wrapped, it would count as the error of a database that is away
		return nil, fmt.Errorf("%s: %v; name another port with --listen, or a host that is this machine", env.Place(string(role)+".listen"), err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics, err := prometheusmetrics.NewMetrics(registry)
	if err != nil {
		_ = l.Close() // the first error is the one that counts
		return nil, err
	}
	return &server{listener: l, registry: registry, metrics: metrics}, nil
}

// serve begins to answer.
func (s *server) serve(svc *service.Service, log *slog.Logger) {
	if s.listener == nil {
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", answer(svc.Healthy, svc.Hanging))
	mux.HandleFunc("GET /readyz", answer(svc.Ready, nil))
	s.http = &http.Server{
		Handler: mux, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
	}
	log.Info("answering /healthz, /readyz and /metrics", "address", s.listener.Addr().String())
	go func() { _ = s.http.Serve(s.listener) }() // it ends by close
}

// close ends the server without waiting for requests.
func (s *server) close() {
	switch {
	case s.http != nil:
		_ = s.http.Close()
	case s.listener != nil:
		_ = s.listener.Close()
	}
}

// answer returns a handler that answers 200, or 503 with the reason. The places that
// hang follow, unless hanging is nil.
func answer(question func() error, hanging func() []host.Hang) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := question(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, err)
		} else {
			fmt.Fprintln(w, "ok")
		}
		if hanging == nil {
			return
		}
		for _, h := range hanging() {
			fmt.Fprintf(w, "%v since %s\n", h, h.Since.UTC().Format(time.RFC3339))
		}
	}
}
