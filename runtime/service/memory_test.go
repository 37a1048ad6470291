package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/metadata"
)

// TestFirstRoundIsRemembered counts the starts of commands. The first round of a process
// starts none whose files are as they were; regular full rounds and refreshes start all.
func TestFirstRoundIsRemembered(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		count, file := filepath.Join(t.TempDir(), "starts"), filepath.Join(t.TempDir(), "verified.json")
		for name, version := range map[string]string{"alpha": "1.0.0", "beta": "2.0.0"} {
			b.install(name, "echo x >> "+count+"\necho "+name+" "+version)
		}
		total := 0
		expect := func(why string, starts int) {
			t.Helper()
			total += starts
			text, _ := os.ReadFile(count)
			if got := strings.Count(string(text), "\n"); got != total {
				t.Errorf("%s: %d starts until now, want %d", why, got, total)
			}
			b.has("alpha@1.0.0", "beta@2.0.0")
		}
		process := func() *service.Service {
			cfg, memory := b.config(), detect.NewMemory(detect.MemoryConfig{Path: file})
			cfg.FullEvery = 3
			cfg.Detector = func(defs []metadata.Definition, _ []string) (service.Detector, error) {
				policy, err := host.NewPolicy(host.PolicyConfig{Mode: host.ModeOpen})
				if err != nil {
					return nil, err
				}
				return detect.New(defs, detect.Config{
					Host: cfg.Host.(*host.LocalHost), Policy: policy, Explain: true, Memory: memory,
					Now: b.clock.Now, Getenv: func(string) string { return "" },
				})
			}
			return b.start(cfg)
		}
		svc := process()
		b.step(svc)
		expect("nothing is remembered", 2)
		svc.Leave(t.Context())

		svc = process()
		b.step(svc)
		expect("the first round of the next process", 0)
		b.pass(svc, 2*round)
		expect("rounds without a change", 0)
		b.pass(svc, round)
		expect("a regular full round", 2)
		svc.Refresh()
		b.step(svc)
		expect("a refresh", 2)
		svc.Leave(t.Context())

		if _, err := b.Workers.RequestRefresh(t.Context(), b.row().ID); err != nil {
			t.Fatal(err)
		}
		svc = process()
		b.step(svc)
		expect("a refresh that was asked for while nobody ran", 2)
		b.answered()
		svc.Leave(t.Context())

		svc = process()
		b.step(svc)
		expect("once that was answered", 0)
	})
}
