package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type workersShowCmd struct {
	Name string `arg:"" help:"Name, id or host of a worker; in a name, * is any text and ? one character." placeholder:"NAME|ID|HOST"`
	Role string `help:"Show only this role: worker or sensor." placeholder:"ROLE"`
}

// Run shows the workers with a name, which several roles may share.
func (c *workersShowCmd) Run(ctx context.Context, env *cli.Env) error {
	src, err := sourceToLook(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	workers, err := findWorkers(ctx, src, c.Name, c.Role)
	if err != nil {
		return err
	}
	var ids []int64
	for i := range workers {
		ids = append(ids, workers[i].ID)
	}
	operations, err := src.operations(ctx, ids)
	if err != nil {
		return fmt.Errorf("show workers of %s: %w", src.name(), err)
	}
	if env.JSON {
		list := cli.NewJSONList(env.Out)
		err := eachWorker(ctx, src, workers, func(w *store.WorkerSnapshot, _ *metadata.Index) error {
			view := answer.ShowWorker(w)
			view.Operations = operations[w.ID]
			return errors.Join(list.Add(view), env.Out.Lost)
		})
		if err != nil {
			return err
		}
		noteWithheld(env, src)
		return list.Close()
	}
	first := true
	err = eachWorker(ctx, src, workers, func(w *store.WorkerSnapshot, names *metadata.Index) error {
		if !first {
			env.Out.Printf("\n")
		}
		first = false
		printRow(env.Out, w, operations[w.ID])
		if in := src.withheld(); in != nil {
			s, err := in.summary(ctx, w.ID)
			if err != nil {
				return fmt.Errorf("show worker %s of %s: %w", w.Name, src.name(), err)
			}
			printSummary(env.Out, s)
			return env.Out.Lost
		}
		printDocument(env.Out, w, names)
		return env.Out.Lost
	})
	noteWithheld(env, src)
	return err
}

// printRow prints the row of a worker.
func printRow(out *cli.Terminal, w *store.WorkerSnapshot, operations answer.Operations) {
	field := cli.NewWideFields(out, "", 12)
	field("worker", fmt.Sprintf("%s (id %d)", w.Name, w.ID))
	field("role", cli.RoleName(w.WorkerRole))
	field("type", string(w.WorkerType))
	state := status(w)
	out.Printf("%-12s %s\n", "status", out.Paint(state.Style, cli.Clean(state.Text)))
	if c := operations.Cordon; c != nil {
		out.PrintProse(cli.Yellow, "cordoned", 13, cli.Clean(cordonText(c)))
	}
	if len(operations.OperatorTaints) > 0 {
		out.PrintProse(cli.Yellow, "tainted", 13, cli.Clean(taintTexts(operations.OperatorTaints)))
	}
	field("heartbeat", beating(w))
	if w.Host != nil {
		field("host", *w.Host)
	}
	if w.Port != nil {
		field("port", strconv.Itoa(*w.Port))
	}
	if w.Instance != nil {
		field("instance", *w.Instance)
	}
	field("meta", compact(w.Meta))
	if w.RefreshRequested != nil {
		field("refresh", "last asked for at "+stamp(*w.RefreshRequested))
	}
	field("updated", stamp(w.Updated))
}

// printSummary prints what a worker reported, without its document.
func printSummary(out *cli.Terminal, s *workerSummary) {
	field := cli.NewWideFields(out, "", 12)
	field("labels", labels(s.Labels))
	field("taints", taintTexts(s.Taints))
	out.Printf("\n")
	if len(s.Runtimes) == 0 {
		out.Printf("no runtimes\n")
		return
	}
	t := cli.NewTable("RUNTIME", "VERSION", "PATH", "OUTCOME")
	for i := range s.Runtimes {
		r := &s.Runtimes[i]
		outcome := cli.Cell{Text: strings.ReplaceAll(r.Outcome, "_", " "), Style: cli.Yellow}
		switch {
		case r.UnconfirmedSince != nil:
			outcome.Text = "could not be determined since " + stamp(*r.UnconfirmedSince)
		case r.Outcome == schema.OutcomeAvailable:
			outcome.Style = cli.Green
		}
		t.Row(cli.Cell{Text: r.Name, Style: cli.Cyan}, cli.Cell{Text: cli.Or(r.Version, "-")}, cli.Cell{Text: cli.Or(r.Path, "-")}, outcome)
	}
	t.Print(out)
}

// printDocument prints the document of a worker.
func printDocument(out *cli.Terminal, w *store.WorkerSnapshot, names *metadata.Index) {
	field := cli.NewWideFields(out, "", 12)
	report, err := answer.ReportOf(w, names)
	if err != nil {
		field("capabilities", undocumented(nil, err))
		return
	}
	caps := report.Document
	if caps == nil {
		field("capabilities", undocumented(nil, nil))
		return
	}
	if report.Foreign {
		field("capabilities", "as the platform's worker declares them; attune does not verify them")
	}
	field("labels", labels(report.Labels))
	field("taints", taintTexts(report.Taints))
	field("at a time", strings.Trim(compact(report.MaxConcurrent), `"`))
	if caps.Host.OS != "" {
		field("system", strings.Trim(caps.Host.OS+" "+caps.Host.Arch+", user "+caps.Host.User, " ,"))
	}
	field("PATH", strings.Join(caps.Host.Path, ":"))
	field("source", string(caps.Source))
	out.Printf("\n")
	cli.PrintDetected(out, caps)
	for i := range report.Unconfirmed {
		d := &report.Unconfirmed[i]
		out.Printf("%s %s %s: could not be determined since %s\n",
			out.Paint(cli.Yellow, "unconfirmed:"), cli.Clean(d.Name), cli.Clean(d.Version), stamp(d.UnconfirmedSince))
	}
	for i := range report.Discounted {
		f := &report.Discounted[i]
		out.Printf("%s %s %s: %s\n", out.Paint(cli.Yellow, "does not count:"), cli.Clean(f.Name),
			cli.Clean(placeOf(f.Path, f.Declared)), cli.Clean(string(f.Outcome)))
	}
	cli.PrintAbsent(out, caps, "why: "+cli.Command("attune")+" explain "+cli.Clean(host.CommandLine(w.Name, nil))+" RUNTIME")
}

// beating returns when a worker sent its last heartbeat, and its interval.
func beating(w *store.WorkerSnapshot) string {
	if w.LastHeartbeat == nil {
		return "never"
	}
	text := stamp(*w.LastHeartbeat) + ", " + heartbeat(w)
	if w.HeartbeatInterval != nil {
		text += ", due every " + (time.Duration(*w.HeartbeatInterval) * time.Second).String()
	}
	return text
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// labels returns the labels of a worker, sorted.
func labels(of map[string]string) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(of)) {
		list = append(list, k+"="+of[k])
	}
	return strings.Join(list, " ")
}

// taintTexts returns taints, each as KEY[=VALUE]:EFFECT.
func taintTexts(taints []answer.Taint) string {
	var list []string
	for _, t := range taints {
		list = append(list, taintText(t))
	}
	return strings.Join(list, " ")
}

func taintText(t answer.Taint) string {
	key := t.Key
	if t.Value != nil {
		key += "=" + *t.Value
	}
	if t.Effect == "" {
		return key
	}
	return key + ":" + t.Effect
}

// cordonText returns since when a worker is cordoned, by whom and why.
func cordonText(c *answer.Cordon) string {
	text := "since " + stamp(c.At)
	if c.By != "" {
		text += " by " + c.By
	}
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	return text
}
