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
	src, err := sourceToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	m, err := src.groups(ctx, c.By)
	if err != nil {
		return fmt.Errorf("count workers of %s by group: %w", src.name(), err)
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, m)
	}
	t := cli.NewTable("GROUP", "RUNTIME", "HAVE IT", "WORKERS")
	for i := range m.Items {
		g := &m.Items[i]
		name := "-"
		if g.Group != nil {
			name = *g.Group
		}
		rows := 0
		for j, n := range g.Available {
			if n > 0 {
				rows++
				t.Row(cli.Cell{Text: name}, cli.Cell{Text: m.Runtimes[j].Name, Style: cli.Cyan},
					cli.Cell{Text: strconv.Itoa(n)}, cli.Cell{Text: strconv.Itoa(g.Workers)})
			}
		}
		if rows == 0 {
			t.Row(cli.Cell{Text: name}, cli.Cell{Text: "-"}, cli.Cell{Text: "0"}, cli.Cell{Text: strconv.Itoa(g.Workers)})
		}
	}
	t.Print(env.Out)
	env.Out.Printf("%s\n", cli.Count(len(m.Items), "group"))
	return nil
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
