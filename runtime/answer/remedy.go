package answer

import (
	"fmt"
	"slices"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// Runs reports whether the worker's status means that it runs.
func (w *WorkerState) Runs() bool {
	return w.Status == string(schema.WorkerActive) || w.Status == string(schema.WorkerBusy)
}

// ServiceRole returns the role of the worker's service. A hybrid runs as a worker.
func (w *WorkerState) ServiceRole() metadata.Role {
	if w.Role == string(metadata.Sensor) {
		return metadata.Sensor
	}
	return metadata.Worker
}

// help adds remedies, each once.
func (e *Explanation) help(hints ...string) {
	for _, h := range hints {
		if h != "" && !slices.Contains(e.Helps, h) {
			e.Helps = append(e.Helps, h)
		}
	}
}

// word returns the caller's words.
func (e *Explanation) word(cue Cue) string {
	if e.words == nil {
		return ""
	}
	return e.words(cue, &e.Worker)
}

// again returns how to make the worker verify again.
func (e *Explanation) again() string {
	if e.Worker.Stale || !e.Worker.Runs() {
		return "start the service there: it verifies everything then"
	}
	return e.word(CueRefresh)
}

// reload returns how to make a service use changed settings. A refresh does not read them.
func (e *Explanation) reload() string {
	switch {
	case e.Worker.Stale || !e.Worker.Runs():
		return e.again()
	case e.Source == capability.SourceEnvironment:
		return "after a change in its environment or config file, start the service there again: it reads the variables only then"
	}
	return e.word(CueReload)
}

// declared reports whether the service's settings list the runtimes.
func (e *Explanation) declared() bool {
	return e.Source == capability.SourceConfig || e.Source == capability.SourceEnvironment
}

func (e *Explanation) hint() string {
	if e.Negative == nil {
		return ""
	}
	return e.Negative.Hint
}

// bySettings reports whether the service's settings cause an outcome: its policy, or a
// declared name without a definition.
func (n *ExplainedAbsence) bySettings(declared bool) bool {
	return n.Outcome == capability.DeniedByPolicy || declared && n.Outcome == capability.NoVerification
}

// doubts returns remedies for installations that the host could not determine.
func (e *Explanation) doubts() (hints []string) {
	for _, in := range e.Installations {
		for _, attempt := range in.Attempts {
			if in.UnconfirmedSince != nil && attempt.Outcome.CouldNotTell() {
				hints = append(hints, attempt.Hint)
			}
		}
	}
	for _, f := range e.Failed {
		if f.Outcome == capability.InvalidMetadata {
			hints = append(hints, f.Hint)
		}
	}
	return hints
}

// mindFailed adds failures to the answer if no installation satisfies the constraint. One of
// them may have a version that does.
func (e *Explanation) mindFailed(q *Question) {
	var matches []*ExplainedFailure
	for i := range e.Failed {
		if f := &e.Failed[i]; maySatisfy(&q.RuntimeFilter, f.Declared, f.Version) {
			matches = append(matches, f)
			e.help(f.Hint)
			if f.bySettings(e.declared()) {
				e.help(e.reload())
			}
		}
	}
	if len(matches) == 0 {
		return
	}
	about, seem := "one more does not count: ", "they do not count"
	if slices.ContainsFunc(matches, func(f *ExplainedFailure) bool { return f.Outcome.CouldNotTell() }) {
		e.Answer, e.Why = Unknown, "none of its known versions satisfies "+e.Constraint
		about, seem = "one could not be determined: ", "some of them could not be determined"
	}
	if len(matches) == 1 {
		e.Why += "; " + about + string(matches[0].Outcome) + ": " + matches[0].Detail
	} else {
		e.Why += fmt.Sprintf("; there are %d more, and %s: see below", len(matches), seem)
	}
}

// Satisfies reports whether a version satisfies a requirement. An empty text is an unknown
// version.
func Satisfies(r *store.RuntimeFilter, text string) bool {
	if r.Constraint == nil {
		return true
	}
	v, err := version.Parse(text)
	return err == nil && r.Constraint.Match(v, r.Prereleases)
}

// maySatisfy reports whether an executable that does not count could satisfy a requirement:
// by the version that a definition declares for it, by its own version, or because its
// version is unknown.
func maySatisfy(r *store.RuntimeFilter, declared, text string) bool {
	switch {
	case r.Constraint == nil:
		return true
	case declared != "":
		c, err := version.ParseConstraint(declared)
		return err != nil || overlap(c.Ranges(true), r.Constraint.Ranges(r.Prereleases))
	}
	return text == "" || Satisfies(r, text)
}

func overlap(some, others []version.Range) bool {
	return slices.ContainsFunc(some, func(a version.Range) bool {
		return slices.ContainsFunc(others, func(b version.Range) bool {
			return (a.To == "" || b.From < a.To) && (b.To == "" || a.From < b.To)
		})
	})
}
