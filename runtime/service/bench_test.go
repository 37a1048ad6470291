package service_test

import (
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/service"
)

// BenchmarkRound verifies the core pack on this machine, with nothing changed and
// in full, side by side.
func BenchmarkRound(b *testing.B) {
	local := host.Local(host.LocalConfig{})
	defs := packs.Core().Definitions
	detector, err := detect.New(defs, detect.Config{Host: local, Policy: detect.StandardPolicy(core.Commands()), Explain: true, Getenv: func(string) string { return "" }})
	if err != nil {
		b.Fatal(err)
	}
	unchanged := service.Unchanged(b.Context(), detector, local, defs)
	var cheap, full time.Duration
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			if !unchanged() {
				b.Fatal("something changed on this machine")
			}
		}
		cheap = b.Elapsed() / time.Duration(b.N)
	})
	b.Run("full", func(b *testing.B) {
		for b.Loop() {
			if _, err := detector.Detect(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		full = b.Elapsed() / time.Duration(b.N)
		if cheap > 0 {
			b.ReportMetric(100*float64(cheap)/float64(full), "%share-of-unchanged")
		}
	})
}
