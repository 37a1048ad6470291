package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
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

// Run explains a runtime on the workers with a name.
func (c *explainCmd) Run(ctx context.Context, env *cli.Env) error {
	req, err := answer.ParseRuntimeTerm(c.Runtime, c.Prereleases)
	if err != nil {
		return usage(err)
	}
	src, err := sourceToLook(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	workers, err := findWorkers(ctx, src, c.Host, c.Role)
	if err != nil {
		if _, otherErr := findWorkers(ctx, src, c.Runtime, c.Role); otherErr == nil {
			return cli.Usagef("%q is the worker, and stands first: `attune explain %s %s`", c.Runtime, c.Runtime, host.CommandLine(c.Host, nil))
		}
		return err
	}
	found, err := resolve(ctx, src, &req)
	if err != nil {
		return err
	}
	question := answer.Question{
		RuntimeFilter: req.RuntimeFilter, Definition: req.Definition, Note: found.Notes[req.Ref], Words: words,
	}
	explanations := make([]*answer.Explanation, 0, len(workers))
	err = eachWorker(ctx, src, workers, func(w *store.WorkerSnapshot, names *metadata.Index) error {
		question.Index = names
		e, err := src.explain(ctx, w, question)
		if err != nil {
			return fmt.Errorf("explain %s on %s of %s: %w", req.Written, w.Name, src.name(), err)
		}
		for j := range e.Installations {
			in := &e.Installations[j]
			if v, err := version.Parse(in.Version); err == nil && !in.Match {
				in.WhyNot = withFlag(in.WhyNot, *req.Constraint, v, req.Prereleases)
			}
		}
		explanations = append(explanations, e)
		return nil
	})
	if err != nil {
		return err
	}
	if env.JSON {
		err = cli.PrintJSON(env.Out, explanations)
	} else {
		for i := range explanations {
			if i > 0 {
				env.Out.Printf("\n")
			}
			printExplanation(env.Out, explanations[i], src.withheld() != nil)
		}
	}
	noteWithheld(env, src)
	if err == nil && c.ExitCode && slices.ContainsFunc(explanations, func(e *answer.Explanation) bool { return e.Answer != answer.Yes }) {
		return &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

// words returns what to type for a cue.
func words(cue answer.Cue, w *answer.WorkerState) string {
	switch cue {
	case answer.CueRefresh:
		return "`attune workers refresh " + host.CommandLine(w.Name, nil) + "` makes it verify again"
	case answer.CueRun:
		return fmt.Sprintf("`%s run` there", w.ServiceRole())
	case answer.CueAdopt:
		return fmt.Sprintf("`%s run` on that host has attune verify it", w.ServiceRole())
	case answer.CueReload:
		return fmt.Sprintf("after a change in its config file, reload the service there (SIGHUP, `systemctl reload attune-%s`): "+
			"`attune workers refresh` verifies by the settings that it has", w.ServiceRole())
	case answer.CueLoad:
		return "load the pack that had it: `attune packs load DIR`"
	case answer.CueVariable:
		return detect.EnvironmentVariable(w.ServiceRole())
	}
	return ""
}
