package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// A Verdict answers whether a worker has a runtime. An absent runtime differs from one that
// could not be determined.
type Verdict string

// The verdicts.
const (
	Yes         Verdict = "yes"
	No          Verdict = "no"
	Unknown     Verdict = "could not tell"
	NotReported Verdict = "not asked"
)

// A Question asks whether a worker has a runtime.
type Question struct {
	store.RuntimeFilter
	// Definition is the runtime's definition; nil if the database has none.
	Definition *metadata.Definition
	// Note says what the embedded core pack adds to the definition in a guest.
	Note string
	// Index resolves the names that a platform's workers declare. Nil knows none.
	Index *metadata.Index
	// Words returns the words for a cue. Nil leaves out what needs them.
	Words func(Cue, *WorkerState) string
}

// A Cue stands for words that name commands or variables, which the caller chooses.
type Cue string

// The cues.
const (
	// CueRefresh is how to make a running worker verify again.
	CueRefresh Cue = "refresh"
	// CueRun is how to start a service on a host that never reported.
	CueRun Cue = "run"
	// CueAdopt is how to have attune verify a platform's worker.
	CueAdopt Cue = "adopt"
	// CueReload is how to make a service read its config file again.
	CueReload Cue = "reload"
	// CueLoad is how to load the pack of a runtime without a definition.
	CueLoad Cue = "load"
	// CueVariable is the name of the environment variable that lists the runtimes.
	CueVariable Cue = "variable"
)

// An Explanation holds everything that is stored about one runtime on one worker.
type Explanation struct {
	Worker WorkerState `json:"worker"`
	Ref    string      `json:"ref"`
	Name   string      `json:"name"`
	// Constraint is the constraint of the question, or empty.
	Constraint string  `json:"constraint,omitempty"`
	Answer     Verdict `json:"answer"`
	Why        string  `json:"why,omitempty"`
	// Helps are the remedies, the likeliest first.
	Helps []string `json:"helps"`
	// Source is the source of the worker's document: environment, config, database.
	Source capability.Source `json:"source,omitempty"`
	// Host is the machine as the service saw it, with its PATH. It is null if nothing was
	// reported.
	Host          *capability.Host        `json:"host"`
	Installations []ExplainedInstallation `json:"installations"`
	// Failed lists executables that do not count.
	Failed []ExplainedFailure `json:"failed"`
	// Negative is the last verification that did not find the runtime. It may be older than
	// the installations.
	Negative *ExplainedAbsence `json:"negative"`
	Warnings []string          `json:"warnings"`

	foreign bool // the worker is a platform's
	words   func(Cue, *WorkerState) string
}

// A WorkerState describes a worker at the time of the query.
type WorkerState struct {
	Subject
	LastHeartbeat *time.Time `json:"last_heartbeat"`
	SilentSeconds *float64   `json:"silent_seconds"`
}

// An ExplainedInstallation is an installation with its evidence.
type ExplainedInstallation struct {
	// Version is empty if it is unknown.
	Version  string `json:"version"`
	Path     string `json:"path,omitempty"`
	RealPath string `json:"real_path,omitempty"`
	Shim     string `json:"shim,omitempty"`
	// Default reports whether PATH leads to it.
	Default bool `json:"default,omitempty"`
	// Source is verified, declared, always_available or unverified.
	Source           string     `json:"source"`
	VerifiedAt       *time.Time `json:"verified_at"`
	UnconfirmedSince *time.Time `json:"unconfirmed_since"`
	// Match reports whether it satisfies the constraint, and WhyNot why it does not.
	Match    bool                 `json:"match"`
	WhyNot   []string             `json:"why_not,omitempty"`
	Attempts []capability.Attempt `json:"attempts"`
}

// An ExplainedFailure is an executable that does not count, or a declared version without an
// executable, which has no path.
type ExplainedFailure struct {
	Path     string `json:"path,omitempty"`
	RealPath string `json:"real_path,omitempty"`
	Declared string `json:"declared,omitempty"`
	// Version is empty if it is unknown.
	Version string `json:"version,omitempty"`
	ExplainedAbsence
}

// An ExplainedAbsence is a negative result with its evidence.
type ExplainedAbsence struct {
	Outcome    capability.Outcome   `json:"outcome"`
	Detail     string               `json:"detail,omitempty"`
	Hint       string               `json:"hint,omitempty"`
	VerifiedAt *time.Time           `json:"verified_at"`
	Attempts   []capability.Attempt `json:"attempts"`
}

// Explain explains why a worker does or does not have a runtime, from its last report.
func Explain(ctx context.Context, st *store.Store, w *store.WorkerSnapshot, q Question) (*Explanation, error) {
	rows, err := st.WorkerRuntimes.ByWorker(ctx, w.ID)
	if err != nil {
		return nil, err
	}
	e := &Explanation{
		Worker: stateOf(w), Ref: q.Ref, Name: q.Name, Helps: []string{}, Installations: []ExplainedInstallation{},
		Failed: []ExplainedFailure{}, Warnings: []string{}, words: q.Words,
	}
	if q.Constraint != nil {
		e.Constraint = q.Constraint.String()
	}
	caps, unreadable := Document(&w.Worker, q.Index)
	e.foreign = unreadable == nil && caps != nil && IsForeign(&w.Worker)
	switch {
	case e.foreign:
		rows = declaredRows(caps)
		e.Warnings = append(e.Warnings, "it is a worker of the platform's: this is what it declares, and attune does not verify it")
	case unreadable == nil && caps != nil:
		e.Source, e.Host = caps.Source, &caps.Host
		if q.Note != "" && e.Source == capability.SourceDatabase {
			e.Warnings = append(e.Warnings, q.Note)
		}
	}
	for i := range rows {
		if row := &rows[i]; row.RuntimeRef == q.Ref && (q.Ref != "" || row.Name == q.Name) {
			e.add(row, &q, caps)
		}
	}
	if len(e.Installations) == 0 && e.Negative == nil && !e.foreign && unreadable == nil {
		if err := e.addNotFound(ctx, st, definitionRole(w.WorkerRole), &q, caps); err != nil {
			return nil, err
		}
	}
	e.judge(&q, caps, unreadable)
	e.mindService()
	return e, nil
}

// addNotFound adds a negative result that has no row: the host looked in the folders of its PATH.
func (e *Explanation) addNotFound(ctx context.Context, st *store.Store, role metadata.Role, q *Question, caps *capability.Document) error {
	if !caps.OmitsNotFound() || q.Definition == nil {
		return nil
	}
	created, err := st.Runtimes.Created(ctx, q.Ref)
	if err != nil {
		return err
	}
	if a := caps.NotFound(q.Definition, role, created); a != nil {
		e.Negative = &ExplainedAbsence{
			Outcome: a.Outcome, Detail: a.Detail, Hint: a.Hint, VerifiedAt: &caps.Definitions.Read, Attempts: a.Attempts,
		}
		if e.Negative.Attempts == nil {
			e.Negative.Attempts = []capability.Attempt{}
		}
	}
	return nil
}

func stateOf(w *store.WorkerSnapshot) WorkerState {
	s := WorkerState{
		Subject:       Subject{ID: w.ID, Name: w.Name, Role: RoleName(w.WorkerRole), Status: "-", Stale: w.Stale},
		LastHeartbeat: w.LastHeartbeat,
	}
	if w.Status != nil {
		s.Status = string(*w.Status)
	}
	if w.Silent != nil {
		seconds := w.Silent.Seconds()
		s.SilentSeconds = &seconds
	}
	return s
}

// declaredRows returns what a platform's worker declares, as rows.
func declaredRows(caps *capability.Document) []schema.WorkerRuntime {
	var rows []schema.WorkerRuntime
	for i := range caps.Detected {
		d := &caps.Detected[i]
		rows = append(rows, schema.WorkerRuntime{
			RuntimeRef: d.Ref, Name: d.Name, Outcome: schema.OutcomeAvailable, Source: string(d.Source),
			Version: d.Version, VersionRaw: d.VersionRaw,
		})
	}
	return rows
}

// add adds what a row says.
func (e *Explanation) add(row *schema.WorkerRuntime, q *Question, caps *capability.Document) {
	switch {
	case row.Outcome == schema.OutcomeAvailable:
		e.Installations = append(e.Installations, e.installation(row, q, caps))
	case row.IsNegative():
		n := e.absence(row, caps)
		e.Negative = &n
	default:
		f := ExplainedFailure{Path: row.Path, RealPath: row.RealPath, Version: row.Version, ExplainedAbsence: e.absence(row, caps)}
		if f.Path == "" {
			f.Declared = row.VersionRaw
		}
		e.Failed = append(e.Failed, f)
	}
}

func (e *Explanation) installation(row *schema.WorkerRuntime, q *Question, caps *capability.Document) ExplainedInstallation {
	in := ExplainedInstallation{
		Version: row.Version, Path: row.Path, RealPath: row.RealPath, Source: row.Source, VerifiedAt: row.VerifiedAt,
		UnconfirmedSince: row.UnconfirmedSince, Match: Satisfies(&q.RuntimeFilter, row.Version), Attempts: e.attempts(row, caps),
	}
	if !in.Match {
		in.WhyNot = []string{"its version is unknown"}
		if v, err := version.Parse(row.Version); err == nil {
			in.WhyNot = WhyNot(*q.Constraint, v, q.Prereleases)
		}
	}
	if d := entryOf(row, caps); d != nil {
		in.Shim, in.Default = d.Shim, d.Default
		e.Warnings = append(e.Warnings, d.Warnings...)
	}
	return in
}

func (e *Explanation) absence(row *schema.WorkerRuntime, caps *capability.Document) ExplainedAbsence {
	return ExplainedAbsence{
		Outcome: capability.Outcome(row.Outcome), Detail: textOf(row.Detail), Hint: textOf(row.Hint), VerifiedAt: row.VerifiedAt,
		Attempts: e.attempts(row, caps),
	}
}

// attempts returns the evidence of a row, which omits what the row, the document and the host's PATH
// say as well. Unreadable evidence adds a warning.
func (e *Explanation) attempts(row *schema.WorkerRuntime, caps *capability.Document) []capability.Attempt {
	like := (&capability.Failure{
		Path: row.Path, RealPath: row.RealPath, Version: row.Version, Outcome: capability.Outcome(row.Outcome),
		Detail: textOf(row.Detail), Hint: textOf(row.Hint),
	}).Attempt()
	if row.Outcome == schema.OutcomeAvailable {
		in := capability.Installation{
			Path: row.Path, RealPath: row.RealPath, Version: row.Version, VersionRaw: row.VersionRaw, Outcome: capability.Available,
		}
		if d := entryOf(row, caps); d != nil && d.Source == capability.Verified {
			in.Command, in.DurationMS, in.Remembered, in.VersionFile = d.Command, d.DurationMS, d.Remembered, d.VersionFile
		}
		like = in.Attempt()
	}
	var path []string
	if caps != nil {
		path = caps.Host.Path
	}
	list, err := capability.DecodeAttempts(row.Evidence, like, path)
	if err != nil {
		e.Warnings = append(e.Warnings, "the evidence cannot be read: "+err.Error())
		return []capability.Attempt{}
	}
	return list
}

// entryOf returns the entry of an installation's row in a document, or nil.
func entryOf(row *schema.WorkerRuntime, caps *capability.Document) *capability.Installation {
	if caps == nil {
		return nil
	}
	for i := range caps.Detected {
		if d := &caps.Detected[i]; d.Ref == row.RuntimeRef && d.Path == row.Path && d.Version == row.Version {
			return d
		}
	}
	return nil
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// judge sets the answer.
func (e *Explanation) judge(q *Question, caps *capability.Document, unreadable error) {
	has := func(of func(in ExplainedInstallation) bool) bool { return slices.ContainsFunc(e.Installations, of) }
	switch {
	case has(func(in ExplainedInstallation) bool { return in.Match && in.UnconfirmedSince == nil }):
		e.Answer = Yes
	case has(func(in ExplainedInstallation) bool { return in.Match }):
		e.Answer = Yes
		e.Why = "it was there when last verified; it could not be determined since, and is kept for a while"
		e.help(e.doubts()...)
		e.help(e.hint(), e.again())
	case has(func(in ExplainedInstallation) bool { return in.Version == "" }):
		e.Answer, e.Why = Unknown, "the version is unknown, and "+e.Constraint+" needs one"
		e.help("a verification that prints a version: of a declared runtime with verify_declared in the worker's config, " +
			"else by version_pattern in the definition")
		if e.declared() {
			e.help(e.reload())
		}
	case len(e.Installations) > 0:
		e.Answer, e.Why = No, "none of its versions satisfies "+e.Constraint
		e.mindFailed(q)
		e.help("install a version that does, where the service's PATH or the definition's locations show it", e.again())
	case e.Negative != nil:
		e.judgeNegative()
	default:
		e.Answer = NotReported
		e.notReported(q, caps, unreadable)
	}
}

// judgeNegative answers by the last verification.
func (e *Explanation) judgeNegative() {
	e.Answer, e.Why = No, string(e.Negative.Outcome)
	if e.Negative.Outcome.CouldNotTell() {
		e.Answer = Unknown
	}
	if e.Negative.Detail != "" {
		e.Why += ": " + e.Negative.Detail
	}
	e.help(e.hint())
	if e.Negative.bySettings(e.declared()) {
		e.help(e.reload())
	} else {
		e.help(e.again())
	}
	if e.Negative.Outcome == capability.NotFound && e.Worker.Runs() && !e.Worker.Stale {
		e.help("after a change of the service's PATH, start the service there again: it reads PATH only then")
	}
}

// notReported explains why a worker's report does not mention the runtime.
func (e *Explanation) notReported(q *Question, caps *capability.Document, unreadable error) {
	role := e.Worker.ServiceRole()
	switch {
	case unreadable != nil:
		e.Why = "what it reported cannot be read: " + unreadable.Error()
		e.help(e.again())
	case caps == nil:
		e.Why = "its row is not attune's, and it never reported what its host has"
		e.help(e.word(CueRun))
	case e.foreign:
		e.Why = "it is a worker of the platform's, and declares no such runtime"
		e.help(e.word(CueAdopt))
	case caps.Source == capability.SourceEnvironment:
		e.Why = strings.Join(strings.Fields("the service's variable "+e.word(CueVariable)+" lists the runtimes, and does not name it"), " ")
		e.help("name it there, or unset the variable, and start the service again")
	case caps.Source == capability.SourceConfig:
		e.Why = fmt.Sprintf("%s.capabilities.runtimes in the service's config file lists the runtimes, and does not name it", role)
		e.help("name it there, or leave the key out", e.reload())
	case q.Definition == nil:
		e.Why = "the database no longer has a definition of it"
		e.help(e.word(CueLoad))
	case e.Worker.Role == string(role) && !q.Definition.HasRole(role):
		var roles []string
		for _, r := range rolesOf(q.Definition) {
			roles = append(roles, string(r))
		}
		e.Why = fmt.Sprintf("its definition is not for the role %s: roles are %s", role, strings.Join(roles, ", "))
		e.help("distributions.roles of the definition")
	default:
		e.Why = "the worker has not reported since the definition was added"
		e.help(e.again())
	}
}

// mindService adds warnings and help if the service does not run.
func (e *Explanation) mindService() {
	switch {
	case e.Worker.Stale:
		e.Warnings = append(e.Warnings, "the worker is stale: it gets no work, and this answer is from its last report")
		if e.Answer == Yes {
			e.help("the service's log there shows why it is silent; start it again")
		}
	case !e.Worker.Runs():
		e.Warnings = append(e.Warnings,
			"the worker is not running (status "+e.Worker.Status+"): it gets no work, and this answer is from its last report")
	}
}
