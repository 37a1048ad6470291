package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// subject returns the requirement of --action or --sensor.
func (c *placeCmd) subject(ctx context.Context, env *cli.Env, src source, index *metadata.Index) (*placement.Requirement, error) {
	kind, ref := store.ActionSubject, ""
	if c.Sensor != nil {
		kind, ref = store.SensorSubject, *c.Sensor
	} else {
		ref = *c.Action
	}
	s, err := src.subject(ctx, index, kind, ref)
	var unknown *answer.UnknownSubjectError
	switch {
	case errors.As(err, &unknown) && unknown.Other:
		return nil, fmt.Errorf("%w in %s; there is the %[3]s %[4]s: `attune place --%[3]s %[4]s`",
			unknown, src.name(), kind.Other(), cli.Clean(ref))
	case errors.As(err, &unknown) && unknown.Near != "":
		return nil, fmt.Errorf("%w in %s; did you mean %s?", unknown, src.name(), unknown.Near)
	case errors.As(err, &unknown):
		return nil, fmt.Errorf("%w in %s; `attune place --all` shows all", unknown, src.name())
	case err != nil:
		return nil, fmt.Errorf("find %s %q in %s: %w", kind, ref, src.name(), err)
	case s.Fault != "":
		return nil, fmt.Errorf("read the requirement of %s %q: %s", kind, ref, s.Fault)
	case s.Note != "":
		env.Note(fmt.Sprintf("%s %s: %s", kind, ref, s.Note))
	}
	return s.Requirement, nil
}

// all prints how many workers fit each action and sensor.
func (c *placeCmd) all(ctx context.Context, env *cli.Env, src source, index *metadata.Index) error {
	counts, err := src.subjects(ctx, index, c.pack())
	if err == nil && len(counts.Subjects) == 0 {
		err = c.emptyPack()
	}
	if err != nil {
		return fmt.Errorf("place in %s: %w", src.name(), err)
	}
	counts.Subjects = slices.DeleteFunc(counts.Subjects, func(s answer.SubjectCount) bool { return c.Kind != "" && c.Kind != string(s.Kind) })
	switch {
	case c.rows != nil:
		err = cli.PrintRows(c.rows, counts.Subjects)
	case env.JSON:
		err = cli.PrintJSON(env.Out, counts)
	default:
		printCounts(env.Out, counts, c.Kind)
	}
	if err == nil && len(counts.Subjects) > 0 && counts.Subjects[0].Fit == 0 {
		err = &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

// pack returns the pack of --pack. It is empty for all packs.
func (c *placeCmd) pack() string {
	if c.Pack == nil {
		return ""
	}
	return *c.Pack
}

// emptyPack returns an error if --pack names a pack without actions and sensors, which may be misspelt.
func (c *placeCmd) emptyPack() error {
	if c.Pack == nil {
		return nil
	}
	return fmt.Errorf("pack %q has no actions and no sensors; `attune packs list` shows all packs", *c.Pack)
}

func printCounts(out *cli.Terminal, counts *answer.SubjectCounts, kind string) {
	if len(counts.Subjects) == 0 {
		what := "actions and no sensors"
		if kind != "" {
			what = kind + "s"
		}
		out.Printf("no %s\n", what)
		return
	}
	t := cli.NewTable("WORKERS", "KIND", "REF", "NEEDS")
	t.Right = map[int]bool{0: true}
	t.Wrap = true
	without, actions := 0, 0
	for i := range counts.Subjects {
		s := &counts.Subjects[i]
		style := cli.Plain
		if s.Kind == store.ActionSubject {
			actions++
		}
		if s.Fit == 0 {
			without++
			style = cli.Yellow
		}
		t.Row(cli.Cell{Text: strconv.Itoa(s.Fit), Style: style}, cli.Cell{Text: string(s.Kind)}, cli.Cell{Text: s.Ref}, needs(&s.PlaceSubject))
	}
	t.Print(out)
	what, flag := kinds(actions, len(counts.Subjects)-actions), cmp.Or(kind, string(store.ActionSubject))
	if kind != "" {
		what = cli.Count(len(counts.Subjects), kind)
	}
	text := fmt.Sprintf("%s, %s", what, cli.Count(counts.Fleet, "worker"))
	if without > 0 {
		text += fmt.Sprintf(": %d %s nowhere; `attune place --%s REF` shows why", without, verb(without, "fits", "fit"), flag)
	}
	out.Printf("%s\n", text)
}

// kinds returns the numbers of actions and sensors.
func kinds(actions, sensors int) string {
	return cli.Count(actions, "action") + " and " + cli.Count(sensors, "sensor")
}

// verb returns the form of a verb for a number.
func verb(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// needs returns a cell with the requirement of a subject, or what is wrong with it.
func needs(s *answer.PlaceSubject) cli.Cell {
	if s.Fault != "" {
		return cli.Cell{Text: s.Fault, Style: cli.Red}
	}
	r := *s.Requirement
	r.Role = "" // follows from the kind
	text := summary(&r)
	switch {
	case s.Note != "" && text != "":
		return cli.Cell{Text: text + "; " + s.Note}
	case s.Note != "":
		return cli.Cell{Text: s.Note, Style: cli.Dim}
	}
	return cli.Cell{Text: cli.Or(text, "-")}
}

// whatIf prints what changes do to actions and sensors.
func (c *placeCmd) whatIf(ctx context.Context, env *cli.Env, src source, index *metadata.Index, changes []placement.Change) error {
	for i := range changes {
		var err error
		if changes[i], err = changes[i].Resolve(index); err != nil {
			return fmt.Errorf("find runtimes in %s: %w", src.name(), err)
		}
	}
	found, err := src.whatIf(ctx, index, c.pack(), changes)
	if err == nil && len(found.Effects)+len(found.Faulty) == 0 {
		err = c.emptyPack()
	}
	var unknown answer.UnknownWorkers
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%s in %s; `attune workers list` shows all", inOneSentence(unknown), src.name())
	case err != nil:
		return fmt.Errorf("place in %s: %w", src.name(), err)
	case c.rows != nil:
		err = cli.PrintRows(c.rows, found.Effects)
	case env.JSON:
		err = cli.PrintJSON(env.Out, found)
	default:
		printConsequences(env, found)
	}
	if err == nil && len(found.Effects) > 0 && found.Effects[0].Stranded {
		err = &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

func printConsequences(env *cli.Env, found *answer.Consequences) {
	t := cli.NewTable("BEFORE", "AFTER", "LOSES", "KIND", "REF", "")
	t.Right = map[int]bool{0: true, 1: true, 2: true}
	stranded, actions := 0, 0
	for _, e := range found.Effects {
		state := cli.Cell{}
		if e.Kind == string(store.ActionSubject) {
			actions++
		}
		if e.Stranded {
			stranded++
			state = cli.Cell{Text: "stranded", Style: cli.Red}
		}
		if e.Before > e.After {
			t.Row(cli.Cell{Text: strconv.Itoa(e.Before)}, cli.Cell{Text: strconv.Itoa(e.After)}, cli.Cell{Text: strconv.Itoa(e.Before - e.After)},
				cli.Cell{Text: e.Kind}, cli.Cell{Text: e.Ref}, state)
		}
	}
	lose := t.Len()
	if lose > 0 {
		t.Print(env.Out)
	}
	text := fmt.Sprintf("%s: %d %s workers, %d %s stranded", kinds(actions, len(found.Effects)-actions), lose, verb(lose, "loses", "lose"),
		stranded, verb(stranded, "is", "are"))
	if lose < len(found.Effects) {
		text += "; --json has the others too"
	}
	env.Out.Printf("%s\n", text)
	for _, s := range found.Faulty {
		env.Note(fmt.Sprintf("%s %s is left out: %s", s.Kind, s.Ref, s.Fault))
	}
}
