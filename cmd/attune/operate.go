package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/store"
)

// operateFlags holds the flags that the commands of operators share.
type operateFlags struct {
	selector
	DryRun bool `help:"Show which workers would change; change nothing. Exit as the command would."`
}

// operateHelp is the part of the help that these commands share.
const operateHelp = " '*' is every worker. All workers of the selection change, or none. What operators write stays when a worker " +
	"registers again, and is deleted with it. Members of the role attune_operator may do this (docs/roles.sql)."

// someWorkers describes what selects workers.
const someWorkers = "a name, a selector such as 'label:zone=a', or '*' for all"

type workersCordonCmd struct {
	operateFlags
	Reason string `help:"Why, in one line of at most 1024 characters. Placement and 'workers show' repeat it." placeholder:"TEXT"`
}

// Help returns the longer text of --help.
func (c *workersCordonCmd) Help() string {
	return selectorHelp + operateHelp + " A cordoned worker keeps running and verifying, but placement passes it over. " +
		"Cordoning it again replaces the reason, if one is given."
}

// Run cordons workers.
func (c *workersCordonCmd) Run(ctx context.Context, env *cli.Env) error {
	if err := store.CheckReason(c.Reason); err != nil {
		return cli.Usagef("--reason %v", err)
	}
	return c.run(ctx, env, answer.Operation{Kind: answer.OperationCordon, Reason: c.Reason})
}

type workersUncordonCmd struct{ operateFlags }

// Help returns the longer text of --help.
func (c *workersUncordonCmd) Help() string { return selectorHelp + operateHelp }

// Run lifts cordons.
func (c *workersUncordonCmd) Run(ctx context.Context, env *cli.Env) error {
	return c.run(ctx, env, answer.Operation{Kind: answer.OperationUncordon})
}

// taintHelp describes the last argument of taint and untaint.
const taintHelp = "The last argument is the taint, %s, where the effect is no_schedule or prefer_no_schedule; " +
	"the arguments before it are the selector. "

type workersTaintCmd struct{ operateFlags }

// Help returns the longer text of --help.
func (c *workersTaintCmd) Help() string {
	return fmt.Sprintf(taintHelp, "KEY[=VALUE][:EFFECT]") +
		"The effect is no_schedule by default: work that does not tolerate the taint is not placed. " +
		"With prefer_no_schedule other workers come first. A worker has one value for a key and an effect. " +
		"Example: attune workers taint 'gpu-*' gpu=a100:no_schedule. " + selectorHelp + operateHelp
}

// Run taints workers.
func (c *workersTaintCmd) Run(ctx context.Context, env *cli.Env) error {
	text, err := c.last()
	if err != nil {
		return err
	}
	op, err := answer.ParseTaintOperation(text)
	if err != nil {
		return cli.Usagef("%v", err)
	}
	return c.run(ctx, env, op)
}

type workersUntaintCmd struct{ operateFlags }

// Help returns the longer text of --help.
func (c *workersUntaintCmd) Help() string {
	return fmt.Sprintf(taintHelp, "KEY[:EFFECT]") + "Without an effect both are removed. " +
		"Taints that hosts have by their configuration stay. " + selectorHelp + operateHelp
}

// Run removes taints.
func (c *workersUntaintCmd) Run(ctx context.Context, env *cli.Env) error {
	text, err := c.last()
	if err != nil {
		return err
	}
	op, err := answer.ParseUntaintOperation(text)
	if err != nil {
		return cli.Usagef("%v", err)
	}
	return c.run(ctx, env, op)
}

// last removes the last argument and returns it.
func (c *operateFlags) last() (string, error) {
	n := len(c.Terms) - 1
	if n < 0 {
		return "", cli.Usagef("say which workers and, last, which taint: build-7 gpu=a100:no_schedule")
	}
	text := c.Terms[n]
	c.Terms = c.Terms[:n]
	if len(c.terms()) == 0 {
		return "", cli.Usagef("say which workers, before the taint %s: %s", cli.Clean(text), someWorkers)
	}
	return text, nil
}

// run does an operation to the workers of the selection.
func (c *operateFlags) run(ctx context.Context, env *cli.Env, op answer.Operation) error {
	wanted, err := c.parse()
	if err != nil {
		return err
	}
	if len(c.terms()) == 0 {
		return cli.Usagef("say which workers: %s", someWorkers)
	}
	src, err := sourceToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	selection, err := wanted.selection(ctx, src)
	if err != nil {
		return err
	}
	if err := allKnown(ctx, src, selection.Names, "nothing was changed"); err != nil {
		return err
	}
	report, err := src.operate(ctx, selection, op, c.DryRun)
	switch {
	case errors.Is(err, store.ErrInvalid):
		return cli.Usagef("%v", err)
	case err != nil:
		return asOperator(src.name(), err)
	case len(report.Workers) == 0:
		return noneFit(ctx, env, src, selection, report)
	case env.JSON:
		return cli.PrintJSON(env.Out, report)
	}
	printOperation(env.Out, report)
	return nil
}

// operationWords are the results of an operation: for a worker that it changed, and for one that it
// did not have to change.
var operationWords = map[answer.OperationKind][2]string{
	answer.OperationCordon:   {"cordoned", "already cordoned"},
	answer.OperationUncordon: {"uncordoned", "was not cordoned"},
	answer.OperationTaint:    {"tainted", "already tainted"},
	answer.OperationUntaint:  {"untainted", "did not have the taint"},
}

func printOperation(out *cli.Terminal, r *answer.OperationReport) {
	words := operationWords[r.Kind]
	t := cli.NewTable("NAME", "ROLE", "STATUS", "RESULT")
	t.Wrap = true
	for i := range r.Workers {
		w := &r.Workers[i]
		result := cli.Cell{Text: words[1], Style: cli.Dim}
		switch {
		case w.Changed && r.DryRun:
			result = cli.Cell{Text: "would be " + words[0], Style: cli.Yellow}
		case w.Changed:
			result = cli.Cell{Text: words[0], Style: cli.Green}
		}
		t.Row(cli.Cell{Text: w.Name}, cli.Cell{Text: w.Role}, standing(w.Status, w.Stale), result)
	}
	t.Print(out)
	changed := cli.Count(r.Changed(), "worker")
	if r.DryRun {
		out.Printf("%s would be %s; nothing was changed (--dry-run)\n", changed, words[0])
		return
	}
	what := ""
	if r.Taint != nil {
		what = ": " + cli.Clean(taintText(*r.Taint))
	}
	out.Printf("%s %s%s\n", changed, words[0], what)
}
