package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

type explainCmd struct {
	Host        string `arg:"" help:"Name, id or host of a worker; in a name, * is any text and ? one character." placeholder:"HOST"`
	Runtime     string `arg:"" help:"Runtime by ref, alias or name, optionally with versions: python, 'python@>=3.12'." placeholder:"RUNTIME[@CONSTRAINT]"`
	Role        string `help:"Show only this role: worker or sensor." placeholder:"ROLE"`
	Prereleases bool   `help:"Let pre-releases satisfy the constraint."`
	ExitCode    bool   `help:"Exit with 3 unless every worker shown has it."`
}

// Help returns the longer text of --help.
func (c *explainCmd) Help() string {
	return "Reads the worker's last report; nothing runs on its host. `attune versions match --help` describes constraints. " +
		"The answer is yes, no, could not tell (for example, a probe timed out, or the version is needed and unknown), or not asked."
}

// These are the answers to whether a worker has a runtime. An absent runtime differs
// from one that could not be determined.
const (
	answerYes       = "yes"
	answerNo        = "no"
	answerUnknown   = "could not tell"
	answerUndefined = "not asked"
)

// account holds everything that is stored about one runtime on one worker.
type account struct {
	Worker workerState `json:"worker"`
	Ref    string      `json:"ref"`
	Name   string      `json:"name"`
	// Constraint is the constraint that was asked for, or empty.
	Constraint string `json:"constraint,omitempty"`
	Answer     string `json:"answer"`
	Why        string `json:"why,omitempty"`
	// Helps are the remedies, the likeliest first.
	Helps []string `json:"helps"`
	// Source is the source of the worker's document: environment, config, database.
	Source capability.Source `json:"source,omitempty"`
	// Host is the machine as the service saw it, with its PATH; null where
	// nothing was reported.
	Host          *capability.Host `json:"host"`
	Installations []installation   `json:"installations"`
	// Failed are executables that do not count, while other installations do.
	Failed []failure `json:"failed"`
	// Negative is the last verification that did not find the runtime. It may be older
	// than the installations.
	Negative *negative `json:"negative"`
	Warnings []string  `json:"warnings"`

	foreign bool // the worker is a platform's
}

type workerState struct {
	ID            int64      `json:"id"`
	Name          string     `json:"name"`
	Role          string     `json:"role"`
	Status        string     `json:"status"`
	Stale         bool       `json:"stale"`
	LastHeartbeat *time.Time `json:"last_heartbeat"`
	SilentSeconds *float64   `json:"silent_seconds"`
}

type installation struct {
	Version  string `json:"version"` // empty: unknown
	Path     string `json:"path,omitempty"`
	RealPath string `json:"real_path,omitempty"`
	Shim     string `json:"shim,omitempty"`
	// Default is set for the installation that PATH finds first.
	Default bool `json:"default,omitempty"`
	// Source is verified, declared, always_available or unverified.
	Source           string     `json:"source"`
	VerifiedAt       *time.Time `json:"verified_at"`
	UnconfirmedSince *time.Time `json:"unconfirmed_since"`
	Match            bool       `json:"match"`
	// WhyNot lists the reasons why it does not satisfy the constraint.
	WhyNot   []string             `json:"why_not,omitempty"`
	Attempts []capability.Attempt `json:"attempts"`
}

// failure is an executable that does not count, or a declared version without an
// executable, which has no path.
type failure struct {
	Path     string `json:"path,omitempty"`
	RealPath string `json:"real_path,omitempty"`
	Declared string `json:"declared,omitempty"`
	Version  string `json:"version,omitempty"` // empty: unknown
	negative
}

type negative struct {
	Outcome    capability.Outcome   `json:"outcome"`
	Detail     string               `json:"detail,omitempty"`
	Hint       string               `json:"hint,omitempty"`
	VerifiedAt *time.Time           `json:"verified_at"`
	Attempts   []capability.Attempt `json:"attempts"`
}

// Run explains a runtime on the workers with a name.
func (c *explainCmd) Run(ctx context.Context, env *cli.Env) error {
	req, err := parseRequirement(c.Runtime, c.Prereleases)
	if err != nil {
		return err
	}
	db, err := openToLook(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	workers, err := findWorkers(ctx, db, c.Host, c.Role)
	if err != nil {
		return err
	}
	if err := req.resolve(ctx, db); err != nil {
		return err
	}
	names, err := namesFor(ctx, db, workers)
	if err != nil {
		return err
	}
	accounts := make([]account, 0, len(workers))
	for i := range workers {
		rows, err := db.Store.WorkerRuntimes.ByWorker(ctx, workers[i].ID)
		if err != nil {
			return fmt.Errorf("explain %s on %s of %s: %w", req.name, workers[i].Name, db.Name, err)
		}
		accounts = append(accounts, accountOf(&workers[i], &req, rows, names))
	}
	if env.JSON {
		err = cli.PrintJSON(env.Out, accounts)
	} else {
		for i := range accounts {
			if i > 0 {
				env.Out.Printf("\n")
			}
			printAccount(env.Out, &accounts[i])
		}
	}
	if err == nil && c.ExitCode && slices.ContainsFunc(accounts, func(a account) bool { return a.Answer != answerYes }) {
		return &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

// accountOf reads what is stored about a runtime on a worker.
func accountOf(w *store.Selected, r *requirement, rows []schema.WorkerRuntime, names *metadata.Index) account {
	doc := workerDocs([]store.Selected{*w}, nil)[0]
	a := account{
		Worker: workerState{w.ID, w.Name, doc.Role, doc.Status, w.Stale, w.LastHeartbeat, doc.SilentSeconds},
		Ref:    r.Ref, Name: r.Name, Helps: []string{}, Installations: []installation{}, Failed: []failure{}, Warnings: []string{},
	}
	if r.Constraint != nil {
		a.Constraint = r.Constraint.String()
	}
	caps, err := capabilitiesOf(&w.Worker, names)
	a.foreign = err == nil && caps != nil && answer.IsForeign(&w.Worker)
	switch {
	case a.foreign:
		rows = declaredRows(caps)
		a.Warnings = append(a.Warnings, "it is a worker of the platform's: this is what it declares, and attune does not verify it")
	case err == nil && caps != nil:
		a.Source, a.Host = caps.Source, &caps.Host
		if r.note != "" && a.Source == capability.SourceDatabase {
			a.Warnings = append(a.Warnings, r.note)
		}
	}
	for i := range rows {
		row := &rows[i]
		switch {
		case row.RuntimeRef != r.Ref || (r.Ref == "" && row.Name != r.Name):
		case row.Outcome == schema.OutcomeAvailable:
			a.Installations = append(a.Installations, installationOf(row, r, caps, &a))
		case row.IsNegative():
			n := negativeOf(row, &a)
			a.Negative = &n
		default:
			f := failure{Path: row.Path, RealPath: row.RealPath, Version: row.Version, negative: negativeOf(row, &a)}
			if f.Path == "" {
				f.Declared = row.VersionRaw
			}
			a.Failed = append(a.Failed, f)
		}
	}
	a.judge(r, caps, err)
	a.mindService()
	return a
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

func installationOf(row *schema.WorkerRuntime, r *requirement, caps *capability.Document, a *account) installation {
	in := installation{
		Version: row.Version, Path: row.Path, RealPath: row.RealPath, Source: row.Source,
		VerifiedAt: row.VerifiedAt, UnconfirmedSince: row.UnconfirmedSince, Match: satisfies(r, row.Version), Attempts: attempts(row, a),
	}
	if !in.Match {
		in.WhyNot = []string{"its version is unknown"}
		if v, err := version.Parse(row.Version); err == nil {
			in.WhyNot = whyNot(*r.Constraint, v, r.Prereleases)
		}
	}
	if caps == nil {
		return in
	}
	for i := range caps.Detected {
		if d := &caps.Detected[i]; d.Ref == row.RuntimeRef && d.Path == row.Path && d.Version == row.Version {
			in.Shim, in.Default = d.Shim, d.Default
			a.Warnings = append(a.Warnings, d.Warnings...)
		}
	}
	return in
}

func negativeOf(row *schema.WorkerRuntime, a *account) negative {
	return negative{capability.Outcome(row.Outcome), textOr(row.Detail, ""), textOr(row.Hint, ""), row.VerifiedAt, attempts(row, a)}
}

// attempts returns the evidence of a row. Unreadable evidence adds a warning.
func attempts(row *schema.WorkerRuntime, a *account) []capability.Attempt {
	list := []capability.Attempt{}
	if len(row.Evidence) == 0 {
		return list
	}
	if err := json.Unmarshal(row.Evidence, &list); err != nil {
		a.Warnings = append(a.Warnings, "the evidence cannot be read: "+err.Error())
		return []capability.Attempt{}
	}
	return list
}

// judge sets the answer.
func (a *account) judge(r *requirement, caps *capability.Document, unreadable error) {
	refresh := a.Worker.again()
	has := func(of func(in installation) bool) bool { return slices.ContainsFunc(a.Installations, of) }
	switch {
	case has(func(in installation) bool { return in.Match && in.UnconfirmedSince == nil }):
		a.Answer = answerYes
	case has(func(in installation) bool { return in.Match }):
		a.Answer = answerYes
		a.Why = "it was there when last verified; it could not be determined since, and is kept for a while"
		a.help(a.doubts()...)
		a.help(a.hint(), refresh)
	case has(func(in installation) bool { return in.Version == "" }):
		a.Answer, a.Why = answerUnknown, "the version is unknown, and "+a.Constraint+" needs one"
		a.help("a verification that prints a version: of a declared runtime with verify_declared in the worker's config, " +
			"else by version_pattern in the definition")
		if a.declared() {
			a.help(a.reload())
		}
	case len(a.Installations) > 0:
		a.Answer, a.Why = answerNo, "none of its versions satisfies "+a.Constraint
		a.mindFailed(r)
		a.help("install a version that does, where the service's PATH or the definition's locations show it", refresh)
	case a.Negative != nil:
		a.Answer, a.Why = answerNo, string(a.Negative.Outcome)
		if a.Negative.Outcome.CouldNotTell() {
			a.Answer = answerUnknown
		}
		if a.Negative.Detail != "" {
			a.Why += ": " + a.Negative.Detail
		}
		a.help(a.hint())
		if a.Negative.bySettings(a.declared()) {
			a.help(a.reload())
		} else {
			a.help(refresh)
		}
		if a.Negative.Outcome == capability.NotFound && a.Worker.runs() && !a.Worker.Stale {
			a.help("after a change of the service's PATH, start the service there again: it reads PATH only then")
		}
	default:
		a.Answer = answerUndefined
		a.unasked(r, caps, unreadable, refresh)
	}
}

// unasked explains why a worker's report does not mention the runtime.
func (a *account) unasked(r *requirement, caps *capability.Document, unreadable error, refresh string) {
	role := metadata.Worker // a hybrid is run as one
	if a.Worker.Role == string(metadata.Sensor) {
		role = metadata.Sensor
	}
	switch {
	case unreadable != nil:
		a.Why = "what it reported cannot be read: " + unreadable.Error()
		a.help(refresh)
	case caps == nil:
		a.Why = "its row is not attune's, and it never reported what its host has"
		a.help(fmt.Sprintf("`%s run` there", role))
	case a.foreign:
		a.Why = "it is a worker of the platform's, and declares no such runtime"
		a.help(fmt.Sprintf("`%s run` on that host has attune verify it", role))
	case caps.Source == capability.SourceEnvironment:
		a.Why = fmt.Sprintf("the service's variable %s lists the runtimes, and does not name it", detect.EnvironmentVariable(role))
		a.help("name it there, or unset the variable, and start the service again")
	case caps.Source == capability.SourceConfig:
		a.Why = fmt.Sprintf("%s.capabilities.runtimes in the service's config file lists the runtimes, and does not name it", role)
		a.help("name it there, or leave the key out", a.reload())
	case r.def == nil:
		a.Why = "the database no longer has a definition of it"
		a.help("load the pack that had it: `attune packs load DIR`")
	case a.Worker.Role == string(role) && !r.def.HasRole(role):
		a.Why = fmt.Sprintf("its definition is not for the role %s: roles are %s", role, roles(r.def))
		a.help("distributions.roles of the definition")
	default:
		a.Why = "the worker has not reported since the definition was added"
		a.help(refresh)
	}
}

// help adds remedies, each once.
func (a *account) help(hints ...string) {
	for _, h := range hints {
		if h != "" && !slices.Contains(a.Helps, h) {
			a.Helps = append(a.Helps, h)
		}
	}
}

func (a *account) hint() string {
	if a.Negative == nil {
		return ""
	}
	return a.Negative.Hint
}

// again returns how to make a worker verify again.
func (w *workerState) again() string {
	if w.Stale || !w.runs() {
		return "start the service there: it verifies everything then"
	}
	return "`attune workers refresh " + host.CommandLine(w.Name, nil) + "` makes it verify again"
}

// runs reports whether a worker's status means that it runs.
func (w *workerState) runs() bool {
	return w.Status == string(schema.WorkerActive) || w.Status == string(schema.WorkerBusy)
}

// mindService adds warnings and help where the service does not run.
func (a *account) mindService() {
	switch {
	case a.Worker.Stale:
		a.Warnings = append(a.Warnings, "the worker is stale: it gets no work, and this answer is from its last report")
		if a.Answer == answerYes {
			a.help("the service's log there shows why it is silent; start it again")
		}
	case !a.Worker.runs():
		a.Warnings = append(a.Warnings,
			"the worker is not running (status "+a.Worker.Status+"): it gets no work, and this answer is from its last report")
	}
}
