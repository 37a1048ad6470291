package main

import (
	"context"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/version"
)

type versionsCmd struct {
	Match versionsMatchCmd `cmd:"" help:"Show which versions satisfy a constraint, and why the others do not."`
}

type versionsMatchCmd struct {
	Prereleases bool     `help:"Let pre-releases satisfy the constraint (default: only if the constraint names a pre-release of the same version)."`
	Constraint  string   `arg:"" help:"Constraint, such as '>=3.12,<4', '~3.12', '^1.4 || 2.*', '1.2 - 1.4'."`
	Versions    []string `arg:"" name:"version" help:"Versions as tools or people write them: 3.12, v1.2.3, 1.8.0_392."`
}

// Help returns the longer text of --help.
func (c *versionsMatchCmd) Help() string {
	return "Operators are =, !=, >, >=, < and <=; ~3.12 is >=3.12,<3.13; ^3.12 is >=3.12,<4; 3.12.*, * and 1.2 - 1.4 are ranges; " +
		"a bare 3.12 is any 3.12.x. A comma or blank means and, || means or. " +
		"A partial version stands for its whole range: >3.12 starts at 3.13. " +
		"Exit status: 0 every version satisfies the constraint, 2 the constraint or a version is not valid, " +
		"3 a version does not satisfy it."
}

// A verdict holds whether one version satisfies a constraint.
type verdict struct {
	Text string `json:"text"`
	// Version is the canonical version.
	Version string `json:"version"`
	Match   bool   `json:"match"`
	// Reasons say why not, one for each alternative of the constraint.
	Reasons []string `json:"reasons,omitempty"`
}

// Run matches versions.
func (c *versionsMatchCmd) Run(_ context.Context, env *cli.Env) error {
	constraint, err := version.ParseConstraint(c.Constraint)
	if err != nil {
		return cli.Usagef("%v", err)
	}
	all := true
	verdicts := make([]verdict, 0, len(c.Versions))
	for _, text := range c.Versions {
		v, err := version.Parse(text)
		if err != nil {
			return cli.Usagef("%v", err)
		}
		one := verdict{Text: text, Version: v.String(), Match: constraint.Match(v, c.Prereleases)}
		if !one.Match {
			one.Reasons, all = withFlag(answer.WhyNot(constraint, v, c.Prereleases), constraint, v, c.Prereleases), false
		}
		verdicts = append(verdicts, one)
	}
	if env.JSON {
		err = cli.PrintJSON(env.Out, map[string]any{
			"constraint": constraint.String(), "prereleases": c.Prereleases, "match": all, "versions": verdicts,
		})
	} else {
		printVerdicts(env.Out, constraint, verdicts)
	}
	if err == nil && !all {
		err = &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

func printVerdicts(out *cli.Terminal, c version.Constraint, verdicts []verdict) {
	t := cli.NewTable("VERSION", "IS", c.String(), "WHY NOT")
	t.Wrap = true
	for _, v := range verdicts {
		answer := cli.Cell{Text: "yes", Style: cli.Green}
		if !v.Match {
			answer = cli.Cell{Text: "no", Style: cli.Yellow}
		}
		t.Row(cli.Cell{Text: v.Text}, cli.Cell{Text: v.Version}, answer, cli.Cell{Text: strings.Join(v.Reasons, "; ")})
	}
	t.Print(out)
}

// withFlag adds the flag that accepts a version if it is refused as a pre-release alone.
func withFlag(reasons []string, c version.Constraint, v version.Version, prereleases bool) []string {
	if v.IsPrerelease() && !prereleases && c.Match(v, true) && len(reasons) == 1 {
		return []string{reasons[0] + " (--prereleases accepts it)"}
	}
	return reasons
}
