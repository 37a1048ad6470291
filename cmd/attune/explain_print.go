package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/capability"
)

// printExplanation prints an explanation, which may lack the attempts because the token does not allow them.
func printExplanation(out *cli.Terminal, a *answer.Explanation, withheld bool) {
	style := map[answer.Verdict]cli.Style{answer.Yes: cli.Green, answer.Unknown: cli.Red}[a.Answer]
	if style == cli.Plain {
		style = cli.Yellow
	}
	what := a.Name
	if a.Constraint != "" {
		what += "@" + a.Constraint
	}
	what, worker := out.Paint(cli.Bold, cli.Clean(what)), out.Paint(cli.Bold, cli.Clean(a.Worker.Name))
	out.Printf("%s on %s: %s\n", what, worker, out.Paint(style, string(a.Answer)))
	field := cli.NewFields(out, "  ")
	field("why", a.Why)
	for _, h := range a.Helps {
		field("helps", h)
	}
	for _, w := range a.Warnings {
		field("warning", w)
	}
	field("runtime", cli.Or(a.Ref, "no definition; declared"))
	field("worker", stateLine(&a.Worker))
	if a.Host != nil {
		field("declared", declared(a.Source))
		field("user", a.Host.User)
		field("PATH", cli.Or(strings.Join(a.Host.Path, ":"), "empty"))
	}
	for i := range a.Installations {
		out.Printf("\n")
		printInstallation(out, &a.Installations[i], a.Constraint != "")
	}
	for i := range a.Failed {
		out.Printf("\n")
		printFailure(out, &a.Failed[i])
	}
	if n := a.Negative; n != nil {
		out.Printf("\n")
		printNegative(out, n, len(a.Installations) > 0, withheld)
	}
}

// stateLine describes the state of a worker.
func stateLine(w *answer.WorkerState) string {
	text := fmt.Sprintf("id %d, %s, %s", w.ID, w.Role, w.Status)
	if w.Stale {
		text += ", stale"
	}
	if w.SilentSeconds == nil {
		return text + ", never beat"
	}
	return text + ", beat " + answer.Ago(time.Duration(*w.SilentSeconds*float64(time.Second)))
}

// declared describes whether the service's settings list the runtimes.
func declared(s capability.Source) string {
	switch s {
	case capability.SourceEnvironment, capability.SourceConfig:
		return "by the service's " + string(s)
	}
	return "no; verified by the " + string(s) + "'s definitions"
}

func printInstallation(out *cli.Terminal, in *answer.ExplainedInstallation, constrained bool) {
	verdict := ""
	if constrained && in.Match {
		verdict = "  " + out.Paint(cli.Green, "satisfies it")
	}
	installed := out.Paint(cli.Bold, cli.Clean(cli.Or(in.Version, "unknown version")))
	out.Printf("%s  %s%s\n", installed, cli.Clean(cli.Or(in.Path, "-")), verdict)
	field := cli.NewFields(out, "  ")
	if constrained && !in.Match {
		field("why not", strings.Join(in.WhyNot, "; "))
	}
	if in.RealPath != in.Path {
		field("really", in.RealPath)
	}
	field("shim", in.Shim)
	known := in.Source
	if in.VerifiedAt != nil {
		known += " at " + stamp(*in.VerifiedAt)
	}
	if in.Default {
		known += ", the one that PATH leads to"
	}
	field("known", known)
	if in.UnconfirmedSince != nil {
		field("doubt", "could not be determined since "+stamp(*in.UnconfirmedSince))
	}
	printAttempts(out, in.Attempts)
}

func printNegative(out *cli.Terminal, n *answer.ExplainedAbsence, before, withheld bool) {
	label := "verified"
	if before {
		label = "last negative answer"
	}
	at := "at an unknown time"
	if n.VerifiedAt != nil {
		at = "at " + stamp(*n.VerifiedAt)
	}
	out.Printf("%s %s: %s\n", label, at, out.Paint(cli.Yellow, cli.Clean(string(n.Outcome))))
	switch {
	case withheld:
		out.Printf("  the attempts need a token of the scope operate\n")
	case len(n.Attempts) == 0:
		out.Printf("  no attempts are stored\n")
	}
	printAttempts(out, n.Attempts)
}

func printAttempts(out *cli.Terminal, list []capability.Attempt) {
	for i := range list {
		cli.PrintAttempt(out, i+1, &list[i])
	}
}

// placeOf returns what a failure is about.
func placeOf(path, declared string) string {
	switch {
	case path != "":
		return path
	case declared != "":
		return "declared version " + declared
	}
	return "locations"
}

func printFailure(out *cli.Terminal, f *answer.ExplainedFailure) {
	out.Printf("%s  %s: %s\n", out.Paint(cli.Bold, "does not count"), cli.Clean(placeOf(f.Path, f.Declared)),
		out.Paint(cli.Yellow, cli.Clean(string(f.Outcome))))
	field := cli.NewFields(out, "  ")
	if f.RealPath != f.Path {
		field("really", f.RealPath)
	}
	field("version", f.Version)
	if f.VerifiedAt != nil {
		field("verified", "at "+stamp(*f.VerifiedAt))
	}
	if len(f.Attempts) == 0 { // else they say it
		field("why", f.Detail)
		field("helps", f.Hint)
	}
	printAttempts(out, f.Attempts)
}
