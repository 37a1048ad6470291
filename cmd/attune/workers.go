package main

import (
	"context"
	"errors"
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
	Groups  workersGroupsCmd  `cmd:"" help:"Count workers and their runtimes by role, status or a label."`
	History workersHistoryCmd `cmd:"" help:"Show what workers gained and lost, newest first."`
	Refresh workersRefreshCmd `cmd:"" help:"Make running workers verify everything again."`
	Delete  workersDeleteCmd  `cmd:"" help:"Delete workers that are no longer running."`

	Cordon   workersCordonCmd   `cmd:"" help:"Keep new work off workers."`
	Uncordon workersUncordonCmd `cmd:"" help:"Let cordoned workers get work again."`
	Taint    workersTaintCmd    `cmd:"" help:"Keep work off workers that does not tolerate a taint."`
	Untaint  workersUntaintCmd  `cmd:"" help:"Remove a taint from workers."`
}

type workersListCmd struct {
	selector
	cli.Output
	Sort    string   `help:"Order: name, status, heartbeat, version or id (default: name). status starts with stale workers, heartbeat with the longest silence (workers without a heartbeat come last), version with the oldest version of the first --has or --lacks." enum:"name,status,heartbeat,version,id" default:"name" placeholder:"ORDER"`
	Limit   *int     `help:"Show at most N; 0 shows all (default: 100 in a table on a terminal, else all)." placeholder:"N"`
	After   string   `help:"Show what follows an earlier list, by the cursor that its note ends with." placeholder:"CURSOR"`
	Include []string `help:"With --json, ndjson or csv: add labels (labels and taints), versions (runtimes and their versions) or document (the capability document) to each worker." enum:"labels,versions,document" placeholder:"PART"`
}

// pageLimit is the default of --limit for a table on a terminal.
const pageLimit = 100

// Help returns the longer text of --help.
func (c *workersListCmd) Help() string {
	return selectorHelp + " With has or lacks, a column for each runtime shows what the worker reported: " +
		"its versions; could not tell, if the version is needed and unknown; the outcome of the verification; " +
		"or -, if the worker was not asked."
}

// usage returns an error for flags that cannot be used together.
func (c *workersListCmd) usage(env *cli.Env, wanted *selection) error {
	switch {
	case c.Limit != nil && *c.Limit < 0:
		return cli.Usagef("--limit must be at least 0, got %d", *c.Limit)
	case store.Order(c.Sort) == store.OrderVersion && len(wanted.Has)+len(wanted.Lacks) == 0:
		return cli.Usagef("--sort version needs --has or --lacks to name the runtime")
	case len(c.Include) > 0 && !env.JSON:
		return cli.Usagef("--include goes with --json, or --output ndjson or csv")
	}
	return nil
}

// limit returns the number of workers to show; 0 is all.
func (c *workersListCmd) limit(env *cli.Env) int {
	switch {
	case c.Limit != nil:
		return *c.Limit
	case env.Out.Person && !env.JSON:
		return pageLimit
	}
	return 0
}

// Run lists workers.
func (c *workersListCmd) Run(ctx context.Context, env *cli.Env) error {
	wanted, err := c.parse()
	if err != nil {
		return err
	}
	rows, err := c.Rows(env, c.columns()...)
	if err != nil {
		return err
	}
	if err := c.usage(env, wanted); err != nil {
		return err
	}
	src, err := sourceToLook(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	selection, err := wanted.selection(ctx, src)
	if err != nil {
		return err
	}
	q := answer.ListQuery{
		Selection: selection, Order: store.Order(c.Sort), After: c.After, Limit: c.limit(env),
		Versions:  slices.Contains(c.Include, "versions") || !env.JSON && len(wanted.requirements()) == 0,
		Labels:    slices.Contains(c.Include, "labels"),
		Documents: slices.Contains(c.Include, "document"),
	}
	if !env.JSON {
		q.Answers = wanted.requirements()
	}
	leftOut, err := src.leftOut(ctx, selection)
	if err != nil {
		return fmt.Errorf("list workers of %s: %w", src.name(), err)
	}
	if leftOut > 0 {
		noteLeftOut(env, leftOut)
	}
	if rows != nil {
		return c.printRows(ctx, env, src, q, rows)
	}
	return c.printTable(ctx, env, src, q, wanted.requirements())
}

// list runs a query and notes how the list goes on.
func (c *workersListCmd) list(
	ctx context.Context, env *cli.Env, src source, q answer.ListQuery, fn func([]answer.WorkerItem) error,
) (more bool, err error) {
	next, err := src.list(ctx, q, fn)
	switch {
	case errors.Is(err, answer.ErrCursor):
		return false, cli.Usagef("--after: %v", answer.ErrCursor)
	case err != nil:
		return false, fmt.Errorf("list workers of %s: %w", src.name(), err)
	case next != "":
		env.Note(fmt.Sprintf("more workers follow; --limit 0 shows all, and --after %s goes on", next))
	}
	return next != "", nil
}

// columns returns the columns of CSV: those of every worker, and those of --include.
func (c *workersListCmd) columns() []string {
	columns := []string{
		"id", "name", "role", "type", "status", "stale", "host", "port", "last_heartbeat", "silent_seconds", "heartbeat_interval",
		"instance", "updated", "cordon", "operator_taints", "match", "refresh_requested",
	}
	for _, part := range []struct {
		name    string
		columns []string
	}{
		{"labels", []string{"labels", "taints"}}, {"versions", []string{"runtimes", "runtime_versions"}},
		{"document", []string{"identity", "created", "meta", "capabilities"}},
	} {
		if slices.Contains(c.Include, part.name) {
			columns = append(columns, part.columns...)
		}
	}
	return columns
}

func (c *workersListCmd) printRows(ctx context.Context, env *cli.Env, src source, q answer.ListQuery, list cli.Rows) error {
	_, err := c.list(ctx, env, src, q, func(workers []answer.WorkerItem) error {
		for i := range workers {
			if err := list.Add(&workers[i]); err != nil {
				return err
			}
		}
		return env.Out.Lost // nobody reads any more
	})
	if err != nil {
		return err
	}
	return list.Close()
}

func (c *workersListCmd) printTable(ctx context.Context, env *cli.Env, src source, q answer.ListQuery, reqs []requirement) error {
	table := workersTable(reqs)
	var counts answer.Counts
	more, err := c.list(ctx, env, src, q, func(workers []answer.WorkerItem) error {
		for i := range workers {
			counts.Add(&workers[i])
			table.Row(workerCells(&workers[i], reqs)...)
		}
		table.Print(env.Out)
		return env.Out.Lost
	})
	if err != nil {
		return err
	}
	if counts.All == 0 {
		return c.none(ctx, env, src, q.Selection)
	}
	if err := noteUnknown(ctx, env, src, q.Selection.Names); err != nil {
		return err
	}
	shown := counts.All
	if more || c.After != "" {
		all, err := src.counts(ctx, q.Selection)
		if err != nil {
			return fmt.Errorf("count workers of %s: %w", src.name(), err)
		}
		counts = *all
	}
	env.Out.PrintProse(cli.Plain, "", 0, countLine(&counts, shown))
	return nil
}

// none prints that no worker is listed, and which names no worker has.
func (c *workersListCmd) none(ctx context.Context, env *cli.Env, src source, s store.Selection) error {
	if len(c.terms()) == 0 {
		env.Out.Printf("no workers\n")
		return nil
	}
	hint, err := unknownNames(ctx, src, s.Names)
	if err != nil {
		return err
	}
	if hint != "" {
		hint = "; " + hint
	}
	env.Out.Printf("no workers that fit%s\n", cli.Clean(hint))
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
func noteUnknown(ctx context.Context, env *cli.Env, src source, names []string) error {
	if len(names) < 2 {
		return nil
	}
	text, err := unknownNames(ctx, src, names)
	if err == nil && text != "" {
		env.Note(text)
	}
	return err
}

// countLine returns the number of workers, by status.
func countLine(c *answer.Counts, shown int) string {
	text := cli.Count(c.All, "worker") + ": " + byStatus(c)
	if shown < c.All {
		text += fmt.Sprintf("; %d shown", shown)
	}
	return text
}

// byStatus returns how many workers have each status, without those that nobody has.
func byStatus(c *answer.Counts) string {
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
	return strings.Join(parts, ", ")
}

// workersTable returns the table of workers with a column for each runtime that is asked for.
func workersTable(reqs []requirement) *cli.Table {
	headings := []string{"ID", "NAME", "ROLE", "STATUS", "HEARTBEAT"}
	for i := range reqs {
		headings = append(headings, cli.Clean(strings.ToUpper(reqs[i].Name)))
	}
	if len(reqs) == 0 {
		headings = append(headings, "RUNTIMES")
	}
	t := cli.NewTable(headings...)
	t.Right = map[int]bool{0: true}
	t.Shrink = len(headings) - 1
	return t
}

// workerCells returns the row of a worker in workersTable.
func workerCells(w *answer.WorkerItem, reqs []requirement) []cli.Cell {
	cells := []cli.Cell{
		{Text: strconv.FormatInt(w.ID, 10)}, {Text: w.Name}, {Text: w.Role},
		withOperations(standing(w.Status, w.Stale), &w.Operations), {Text: silent(w.SilentSeconds)},
	}
	for i := range w.Answers {
		cells = append(cells, answerCell(w, &w.Answers[i]))
	}
	if len(reqs) == 0 {
		cells = append(cells, runtimesOf(w))
	}
	return cells
}

// status returns a cell with a worker's status, and whether it is stale.
func status(w *store.WorkerSnapshot) cli.Cell { return standing(cli.StatusName(&w.Worker), w.Stale) }

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

// withOperations adds to a status that operators keep work off the worker.
func withOperations(status cli.Cell, o *answer.Operations) cli.Cell {
	if o.Cordon != nil {
		status = cli.Cell{Text: status.Text + ", cordoned", Style: cli.Yellow}
	}
	if len(o.OperatorTaints) > 0 {
		status = cli.Cell{Text: status.Text + ", tainted", Style: cli.Yellow}
	}
	return status
}

// heartbeat returns the time since a worker's last heartbeat, by the database's clock.
func heartbeat(w *store.WorkerSnapshot) string {
	if w.Silent == nil {
		return "never"
	}
	return answer.Ago(*w.Silent)
}

// silent returns the time since a heartbeat, in words.
func silent(seconds *float64) string {
	if seconds == nil {
		return "never"
	}
	return answer.Ago(time.Duration(*seconds * float64(time.Second)))
}

// runtimesOf returns a cell with a worker's capability names and newest versions.
func runtimesOf(w *answer.WorkerItem) cli.Cell {
	if w.Undocumented != "" {
		return cli.Cell{Text: w.Undocumented}
	}
	if len(w.Runtimes) == 0 {
		return cli.Cell{Text: "none"}
	}
	var names []string
	for _, name := range w.Runtimes {
		if versions := w.RuntimeVersions[name]; len(versions) > 0 {
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

// eachWorker calls fn with workers and their documents, a few at a time, and with the names of runtimes by which the
// documents of a platform's workers are read. The names are nil if a worker does not need them.
func eachWorker(
	ctx context.Context, src source, workers []store.WorkerSnapshot, fn func(w *store.WorkerSnapshot, names *metadata.Index) error,
) error {
	var names *metadata.Index
	return answer.EachWorker(ctx, src, workers, func(w *store.WorkerSnapshot) (err error) {
		if names == nil && len(w.Capabilities) > 0 && answer.IsForeign(&w.Worker) {
			if names, _, err = indexOf(ctx, src); err != nil {
				return err
			}
		}
		return fn(w, names)
	})
}

// answerCell describes what a worker reported about a runtime: the versions that satisfy the
// constraint; else the other versions, in the words of explain; or why the worker does not have it.
func answerCell(w *answer.WorkerItem, a *answer.RuntimeAnswer) cli.Cell {
	if w.Undocumented != "" {
		return cli.Cell{Text: w.Undocumented, Style: cli.Yellow}
	}
	var texts []string
	for i := range a.Installations {
		texts = append(texts, installationText(&a.Installations[i]))
	}
	switch a.State {
	case answer.AnswerFits:
		return cli.List(texts, ", ").Styled(cli.Green)
	case answer.AnswerUnknown:
		texts[0] = string(answer.Unknown) + ": " + texts[0]
		return cli.List(texts, ", ").Styled(cli.Red)
	case answer.AnswerOther:
		texts[0] = "only " + texts[0]
		return cli.List(texts, ", ").Styled(cli.Yellow)
	case answer.AnswerAbsent:
		style := cli.Yellow
		if a.Outcome.CouldNotTell() {
			style = cli.Red
		}
		return cli.Cell{Text: string(a.Outcome), Style: style}
	case answer.AnswerUnasked:
	}
	return cli.Cell{Text: "-", Style: cli.Dim}
}

// installationText returns the version of an installation and how far it is known.
func installationText(in *answer.AnsweredInstallation) string {
	text := cli.Or(in.Version, "unknown version")
	switch {
	case in.Source == capability.AlwaysAvailable && in.Version == "":
		text = "always available"
	case in.Source != capability.Verified:
		text += " (" + string(in.Source) + ")"
	}
	if in.Unconfirmed {
		text += " (unconfirmed)"
	}
	return text
}
