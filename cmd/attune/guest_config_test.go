package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/attune-go/attune/fixtures/platform"
)

// A platform's config file: durations are whole seconds, and most of it is for its own programs.
const platformConfig = `service_name: attune
environment: production
database:
  url: %s
  schema: attune
  max_connections: 50
  connect_timeout: 30
  idle_timeout: 600
redis: {url: "redis://localhost:6379", pool_size: 10}
message_queue: {url: "amqp://localhost", exchange: attune}
server: {host: 0.0.0.0, port: 8080, request_timeout: 30}
log: {level: info, format: json}
worker:
  name: beside-the-platform
  heartbeat_interval: 10
  max_concurrent_tasks: 4
  task_timeout: 300
  labels: {zone: a}
sensor:
  heartbeat_interval: 20
  poll_interval: 30
`

// TestGuestReadsThePlatformsConfig: every command works with the platform's own config file, and nothing but the file
// names the database.
func TestGuestReadsThePlatformsConfig(t *testing.T) {
	t.Parallel()
	asGuest(t, platform.A, func(h *guestHost) {
		t := h.T
		file := filepath.Join(t.TempDir(), "platform.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, platformConfig, h.db.URL), 0o600); err != nil {
			t.Fatal(err)
		}
		unsetenv(t, "ATTUNE_DATABASE_URL")
		config := func(args ...string) result { return run(t, append(args, "--config", file)...) }

		want(t, config("workers", "list"), 0, "worker-alpha", "database.max_connections: unknown key")
		want(t, config("workers", "list", "--strict"), 1, "database.max_connections: unknown key")
		want(t, config("migrate", "up"), 0, "adopted")
		want(t, h.worker("detect", "--config", file), 0, "3.12.4")
		want(t, h.worker("register", "--config", file), 0, "beside-the-platform is registered")

		stop := h.start("registered and active", "run", "--config", file)
		defer stop()
		want(t, config("workers", "refresh", "beside-the-platform", "--wait"), 0, "verified in")
		want(t, config("workers", "show", "beside-the-platform"), 0, "due every 10s", "zone=a")
		want(t, config("workers", "list", "--has", "python"), 0, "beside-the-platform", "worker-alpha")
		want(t, config("runtimes", "show", "python3"), 0, "beside-the-platform (worker)")
		want(t, config("migrate", "status", "--exit-code"), 0, "as they should be")
		h.noBait("with the platform's config", h.shape)
		platform.Run(h, h.db, h.shape)
	})
}

// TestGuestMovesOutBesideAnEnum: a type with the name of the legacy enum is the platform's, and stops nothing once
// attune has moved in.
func TestGuestMovesOutBesideAnEnum(t *testing.T) {
	t.Parallel()
	asGuest(t, platform.F, func(h *guestHost) {
		t := h.T
		want(t, run(t, "migrate", "up"), 0)
		h.exec(`CREATE TYPE attune.runtime_type_enum AS ENUM ('script', 'container')`)
		before := h.theirs()
		want(t, run(t, "migrate", "status", "--exit-code"), 0, "as they should be")
		want(t, h.worker("register"), 0, "is registered")
		want(t, run(t, "migrate", "down", "--force"), 0)
		want(t, run(t, "migrate", "up"), 0)
		movesOut(t)
		h.same("moving out", before, h.theirs())
	})
}
