package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type workersCmd struct {
	List    workersListCmd    `cmd:"" help:"List workers and sensors."`
	Show    workersShowCmd    `cmd:"" help:"Show everything about one worker."`
	Diff    workersDiffCmd    `cmd:"" help:"Show how two workers differ."`
	History workersHistoryCmd `cmd:"" help:"Show what workers gained and lost, newest first."`
	Refresh workersRefreshCmd `cmd:"" help:"Make running workers verify everything again."`
	Delete  workersDeleteCmd  `cmd:"" help:"Delete workers that are no longer running."`
}

type workersListCmd struct {
	selector
	Sort  string `help:"Order: name, status, heartbeat, version or id (default: name). status starts with stale workers, heartbeat with the longest silence (workers without a heartbeat come last), version with the oldest version of the first --has or --lacks." enum:"name,status,heartbeat,version,id" default:"name" placeholder:"ORDER"`
	Limit int    `help:"Show at most N; 0 shows all (default: 0)." placeholder:"N"`
}

// Help returns the longer text of --help.
func (c *workersListCmd) Help() string {
	return selectorHelp + " With has or lacks, a column for each runtime shows what the worker reported: " +
		"its versions; could not tell, if the version is needed and unknown; the outcome of the verification; " +
		"or -, if the worker was not asked."
}

// Run lists workers.
func (c *workersListCmd) Run(ctx context.Context, env *cli.Env) error {
	wanted, err := c.parse()
	if err != nil {
		return err
	}
	if c.Limit < 0 {
		return cli.Usagef("--limit must be at least 0, got %d", c.Limit)
	}
	if answer.Sort(c.Sort) == answer.SortVersion && len(wanted.Has)+len(wanted.Lacks) == 0 {
		return cli.Usagef("--sort version needs --has or --lacks to name the runtime")
	}
	db, err := openToLook(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	selection, err := wanted.selection(ctx, db)
	if err != nil {
		return err
	}
	found, err := answer.FindWorkers(ctx, db.Store, answer.WorkersQuery{Selection: selection, Sort: answer.Sort(c.Sort), Limit: c.Limit})
	if err != nil {
		return fmt.Errorf("list workers of %s: %w", db.Name, err)
	}
	if found.LeftOut > 0 {
		noteLeftOut(env, found.LeftOut)
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, workerDocs(found.Items, found.Matches))
	}
	if len(found.Items) == 0 {
		if len(c.terms()) == 0 {
			env.Out.Printf("no workers\n")
			return nil
		}
		hint, err := unknownNames(ctx, db, selection.Names)
		if err != nil {
			return err
		}
		if hint != "" {
			hint = "; " + hint
		}
		env.Out.Printf("no workers that fit%s\n", cli.Clean(hint))
		return nil
	}
	if err := noteUnknown(ctx, env, db, selection.Names); err != nil {
		return err
	}
	names, err := namesFor(ctx, db, found.Items)
	if err != nil {
		return err
	}
	printWorkers(env.Out, found.Items, wanted.requirements(), names)
	env.Out.PrintProse(cli.Plain, "", 0, countLine(found))
	return nil
}

// noteLeftOut prints how many workers have only a pre-release that fits.
func noteLeftOut(env *cli.Env, n int) {
	text := "1 more worker has only a pre-release that fits; --prereleases lists it"
	if n > 1 {
		text = fmt.Sprintf("%d more workers have only a pre-release that fits; --prereleases lists them", n)
	}
	env.Note(text)
}

// noteUnknown prints which of several names no worker has. For a single name, the
// answer itself says that no worker fits.
func noteUnknown(ctx context.Context, env *cli.Env, db *cli.Database, names []string) error {
	if len(names) < 2 {
		return nil
	}
	text, err := unknownNames(ctx, db, names)
	if err == nil && text != "" {
		env.Note(text)
	}
	return err
}

// countLine returns the number of workers, by status.
func countLine(found *answer.Workers) string {
	c := &found.Counts
	text := cli.Count(c.All, "worker")
	var parts []string
	for _, part := range []struct {
		n    int
		word string
	}{
		{c.Active, "active"}, {c.Busy, "busy"}, {c.Error, "in error"}, {c.Stale, "stale"},
		{c.Inactive, "inactive"}, {c.None, "without a status"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.word))
		}
	}
	text += ": " + strings.Join(parts, ", ")
	if len(found.Items) < c.All {
		text += fmt.Sprintf("; %d shown", len(found.Items))
	}
	return text
}

func printWorkers(out *cli.Terminal, workers []store.Selected, reqs []requirement, names *metadata.Index) {
	headings := []string{"ID", "NAME", "ROLE", "STATUS", "HEARTBEAT"}
	for i := range reqs {
		headings = append(headings, cli.Clean(strings.ToUpper(reqs[i].Name)))
	}
	if len(reqs) == 0 {
		headings = append(headings, "RUNTIMES")
	}
	t := cli.NewTable(headings...)
	t.Right = map[int]bool{0: true}
	for i := range workers {
		w := &workers[i]
		cells := []cli.Cell{
			{Text: strconv.FormatInt(w.ID, 10)}, {Text: w.Name}, {Text: cli.RoleName(w.WorkerRole)}, status(w), {Text: heartbeat(w)},
		}
		caps, err := capabilitiesOf(&w.Worker, names)
		for j := range reqs {
			cells = append(cells, answerOf(&reqs[j], answer.AskedRole(w.WorkerRole), caps, err))
		}
		if len(reqs) == 0 {
			cells = append(cells, runtimesOf(caps, err))
		}
		t.Row(cells...)
	}
	t.Shrink = len(headings) - 1
	t.Print(out)
}

// workerDoc is the JSON document of a worker, with its state by the database's clock.
type workerDoc struct {
	cli.WorkerDoc
	Stale bool `json:"stale"`
	// SilentSeconds is the time since the last heartbeat; null without any.
	SilentSeconds    *float64   `json:"silent_seconds"`
	RefreshRequested *time.Time `json:"refresh_requested,omitempty"`
	// Match is the best installation of the first --has, if the worker can run it now.
	Match *matchDoc `json:"match,omitempty"`
}

// matchDoc is an installation that matches. Version and Path are empty if unknown.
type matchDoc struct {
	Version    string `json:"version"`
	Prerelease bool   `json:"prerelease"`
	Path       string `json:"path"`
}

func workerDocs(workers []store.Selected, matches map[int64]store.Match) []workerDoc {
	docs := make([]workerDoc, 0, len(workers))
	for i := range workers {
		w := &workers[i]
		doc := workerDoc{WorkerDoc: cli.WorkerDocOf(&w.Worker), Stale: w.Stale, RefreshRequested: w.RefreshRequested}
		if w.Silent != nil {
			seconds := w.Silent.Seconds()
			doc.SilentSeconds = &seconds
		}
		if m, ok := matches[w.ID]; ok {
			doc.Match = &matchDoc{Version: m.Version, Prerelease: m.Prerelease, Path: m.Path}
		}
		docs = append(docs, doc)
	}
	return docs
}

// status returns a cell with a worker's status, and whether it is stale.
func status(w *store.Selected) cli.Cell { return standing(cli.StatusName(&w.Worker), w.Stale) }

// standing returns a cell with a status, and whether the worker is stale.
func standing(name string, stale bool) cli.Cell {
	name = cli.Or(name, "-")
	if stale {
		return cli.Cell{Text: name + ", stale", Style: cli.Red}
	}
	switch schema.WorkerStatus(name) {
	case schema.WorkerActive, schema.WorkerBusy:
		return cli.Cell{Text: name, Style: cli.Green}
	case schema.WorkerError:
		return cli.Cell{Text: name, Style: cli.Red}
	}
	return cli.Cell{Text: name, Style: cli.Dim}
}

// heartbeat returns the time since a worker's last heartbeat, by the database's clock.
func heartbeat(w *store.Selected) string {
	if w.Silent == nil {
		return "never"
	}
	return ago(*w.Silent)
}

// silent returns the time since a heartbeat, in words.
func silent(seconds *float64) string {
	if seconds == nil {
		return "never"
	}
	return ago(time.Duration(*seconds * float64(time.Second)))
}

// ago returns a time that has passed, in its two largest units.
func ago(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds ago", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm ago", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh ago", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// runtimesOf returns a cell with a worker's capability names and newest versions.
func runtimesOf(caps *capability.Document, err error) cli.Cell {
	if text := undocumented(caps, err); text != "" {
		return cli.Cell{Text: text}
	}
	if len(caps.Runtimes) == 0 {
		return cli.Cell{Text: "none"}
	}
	var names []string
	for _, name := range caps.Runtimes {
		if versions := caps.RuntimeVersions[name]; len(versions) > 0 {
			name += " " + versions[0]
		}
		names = append(names, name)
	}
	return cli.List(names, ", ")
}

// undocumented explains why a worker's runtimes are unknown; empty if they are known.
func undocumented(caps *capability.Document, err error) string {
	switch {
	case err != nil:
		return "unreadable capabilities: " + err.Error()
	case caps == nil:
		return "not registered by attune"
	}
	return ""
}

func capabilitiesOf(w *schema.Worker, names *metadata.Index) (*capability.Document, error) {
	return answer.Document(w, names)
}

// namesFor returns the names of runtimes by which documents of a platform's workers are
// read. It is nil if no worker needs it.
func namesFor(ctx context.Context, db *cli.Database, workers []store.Selected) (*metadata.Index, error) {
	if !slices.ContainsFunc(workers, func(w store.Selected) bool { return len(w.Capabilities) > 0 && answer.IsForeign(&w.Worker) }) {
		return nil, nil
	}
	names, _, err := db.Index(ctx)
	return names, err
}

// answerOf returns what a worker reported about a runtime: the versions that satisfy
// the constraint; else the other versions, in the words of explain; or why the
// worker does not have the runtime.
func answerOf(r *requirement, role metadata.Role, caps *capability.Document, err error) cli.Cell {
	if text := undocumented(caps, err); text != "" {
		return cli.Cell{Text: text, Style: cli.Yellow}
	}
	var fit, other []string
	unknown := false
	for i := range caps.Detected {
		d := &caps.Detected[i]
		if d.Ref != r.Ref || (r.Ref == "" && d.Name != r.Name) {
			continue
		}
		text := cli.Or(d.Version, "unknown version")
		switch {
		case d.Source == capability.AlwaysAvailable && d.Version == "":
			text = "always available"
		case d.Source != capability.Verified:
			text += " (" + string(d.Source) + ")"
		}
		if !d.UnconfirmedSince.IsZero() {
			text += " (unconfirmed)"
		}
		if answer.Satisfies(&r.Requirement, d.Version) {
			fit = append(fit, text)
		} else {
			other = append(other, text)
			unknown = unknown || d.Version == ""
		}
	}
	for i := range caps.Failed {
		f := &caps.Failed[i]
		unknown = unknown || f.Ref == r.Ref && f.Outcome.CouldNotTell() && answer.MaySatisfy(&r.Requirement, f.Declared, f.Version)
	}
	switch {
	case fit != nil:
		return cli.List(fit, ", ").Styled(cli.Green)
	case other != nil && unknown:
		other[0] = string(answer.Unknown) + ": " + other[0]
		return cli.List(other, ", ").Styled(cli.Red)
	case other != nil:
		other[0] = "only " + other[0]
		return cli.List(other, ", ").Styled(cli.Yellow)
	}
	for i := range caps.Undetected {
		if a := &caps.Undetected[i]; a.Ref == r.Ref && (r.Ref != "" || a.Name == r.Name) {
			style := cli.Yellow
			if a.Outcome.CouldNotTell() {
				style = cli.Red
			}
			return cli.Cell{Text: string(a.Outcome), Style: style}
		}
	}
	if caps.NotFound(r.Definition, role, r.Created) != nil {
		return cli.Cell{Text: string(capability.NotFound), Style: cli.Yellow}
	}
	return cli.Cell{Text: "-", Style: cli.Dim}
}
