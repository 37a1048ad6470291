package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/client"
)

type workersGroupsCmd struct {
	cli.Output
	By string `help:"Group by role, status or label:KEY." default:"role" placeholder:"KEY"`
}

// Help returns the longer text of --help.
func (c *workersGroupsCmd) Help() string {
	return "Counts workers by their last reports, and for each runtime those that have it. Workers without the label, or without a status, " +
		"are the group -. A server remembers counts for ten seconds. Example: attune workers groups --by label:zone."
}

// Run counts workers and their runtimes by group.
func (c *workersGroupsCmd) Run(ctx context.Context, env *cli.Env) error {
	var wrong *answer.TermError
	if _, err := answer.GroupingOf(c.By); errors.As(err, &wrong) {
		return cli.Usagef("--by %v", wrong.Err)
	}
	rows, err := c.Lines(env, "group", "workers", "ref", "runtime", "available")
	if err != nil {
		return err
	}
	src, err := sourceToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	m, err := src.groups(ctx, c.By)
	if err != nil {
		return fmt.Errorf("count workers of %s by group: %w", src.name(), err)
	}
	counts := groupRows(m)
	switch {
	case rows != nil:
		return cli.PrintRows(rows, counts)
	case env.JSON:
		return cli.PrintJSON(env.Out, m)
	}
	t := cli.NewTable("GROUP", "RUNTIME", "HAVE IT", "WORKERS")
	for i := range counts {
		row := &counts[i]
		name, runtime := "-", "-"
		if row.Group != nil {
			name = *row.Group
		}
		style := cli.Plain
		if row.Runtime != nil {
			runtime, style = *row.Runtime, cli.Cyan
		}
		t.Row(cli.Cell{Text: name}, cli.Cell{Text: runtime, Style: style},
			cli.Cell{Text: strconv.Itoa(row.Available)}, cli.Cell{Text: strconv.Itoa(row.Workers)})
	}
	t.Print(env.Out)
	env.Out.Printf("%s\n", cli.Count(len(m.Items), "group"))
	return nil
}

// A groupRow is the number of workers of a group that have a runtime.
type groupRow struct {
	// Group is nil for the workers without one.
	Group   *string `json:"group"`
	Workers int     `json:"workers"`
	// Ref and Runtime are nil in the only row of a group whose workers have no runtime.
	Ref       *string `json:"ref"`
	Runtime   *string `json:"runtime"`
	Available int     `json:"available"`
}

// groupRows returns a row for each runtime that somebody in a group has, and one for a group without any.
func groupRows(m *answer.MatrixGroups) (rows []groupRow) {
	for i := range m.Items {
		g := &m.Items[i]
		before := len(rows)
		for j, n := range g.Available {
			if n > 0 {
				rows = append(rows, groupRow{g.Group, g.Workers, &m.Runtimes[j].Ref, &m.Runtimes[j].Name, n})
			}
		}
		if len(rows) == before {
			rows = append(rows, groupRow{Group: g.Group, Workers: g.Workers})
		}
	}
	return rows
}

func (s databaseSource) groups(ctx context.Context, by string) (*answer.MatrixGroups, error) {
	counts, err := answer.CountGroups(ctx, s.db.Store, by)
	if err != nil {
		return nil, err
	}
	found, err := s.definitions(ctx)
	if err != nil {
		return nil, err
	}
	return counts.Matrix(found.Definitions), nil
}

func (s *serverSource) groups(ctx context.Context, by string) (*answer.MatrixGroups, error) {
	got, err := s.client.GetMatrixGroups(ctx, &client.GetMatrixGroupsParams{By: by}) //nolint:bodyclose // answered closes it
	m, err := answered[answer.MatrixGroups](got, err)
	return &m, err
}
