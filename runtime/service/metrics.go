package service

import (
	"fmt"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
)

// Metrics receives the measurements of a service. Package prometheusmetrics implements it.
// Its methods are called from one goroutine.
type Metrics interface {
	// Attach adds a service. lag returns how long a heartbeat is overdue, or else how late
	// the last one was; hanging returns the number of places that do not answer. Both may
	// be called at any time until the service calls detach, when it ends.
	Attach(lag func() time.Duration, hanging func() int) (detach func())
	CountHeartbeat()
	CountRound(RoundOutcome)
	// CountProbe counts each probe of a full detection once.
	CountProbe(capability.Outcome)
	CountChange(schema.ChangeKind)
	// CountDatabaseError counts an operation, one of DatabaseUses, without an answer.
	CountDatabaseError(use string)
	ObserveDetection(time.Duration)
	SetRuntimes(int)
	// SetUnconfirmed sets the number of installations that are kept although they could
	// not be determined.
	SetUnconfirmed(int)
}

// A RoundOutcome is how a round of verification ended.
type RoundOutcome string

// The outcomes of a round.
const (
	RoundFull      RoundOutcome = "full"
	RoundUnchanged RoundOutcome = "unchanged" // no file had changed, so nothing ran
	RoundFailed    RoundOutcome = "failed"
)

// countProbes counts the probes of a full detection, each once.
func countProbes(m Metrics, caps *capability.Document) {
	seen := map[string]bool{}
	count := func(ref string, attempts []capability.Attempt) {
		for _, a := range attempts {
			key := fmt.Sprintf("%q %q %q", ref, a.Path, a.Command)
			if !seen[key] {
				seen[key] = true
				m.CountProbe(a.Outcome)
			}
		}
	}
	for _, d := range caps.Detected {
		count(d.Ref, d.Attempts)
	}
	for _, a := range caps.Undetected {
		count(a.Ref, a.Attempts)
	}
}

// noMetrics discards all measurements.
type noMetrics struct{}

func (noMetrics) Attach(func() time.Duration, func() int) func() { return func() {} }
func (noMetrics) CountHeartbeat()                                {}
func (noMetrics) CountRound(RoundOutcome)                        {}
func (noMetrics) CountProbe(capability.Outcome)                  {}
func (noMetrics) CountChange(schema.ChangeKind)                  {}
func (noMetrics) CountDatabaseError(string)                      {}
func (noMetrics) ObserveDetection(time.Duration)                 {}
func (noMetrics) SetRuntimes(int)                                {}
func (noMetrics) SetUnconfirmed(int)                             {}
