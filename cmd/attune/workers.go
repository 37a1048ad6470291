package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type workersCmd struct {
	List workersListCmd `cmd:"" help:"List workers and sensors, by name."`
	Show workersShowCmd `cmd:"" help:"Show one worker whole."`
}

type workersListCmd struct {
	Name    string `help:"Only this name."`
	Role    string `help:"Only this role: worker or sensor." placeholder:"ROLE"`
	Status  string `help:"Only this status: active, inactive, busy or error." placeholder:"STATUS"`
	Runtime string `help:"Only those that have this runtime, by capability name or ref." placeholder:"NAME"`
	Limit   int    `help:"At most so many (default: all)." placeholder:"N"`
}

// filter checks the flags.
func (c *workersListCmd) filter() (store.WorkerFilter, error) {
	f := store.WorkerFilter{
		Name: c.Name, Role: metadata.Role(c.Role), Status: schema.WorkerStatus(c.Status), Runtime: c.Runtime, Limit: c.Limit,
	}
	switch f.Role {
	case "", metadata.Worker, metadata.Sensor:
	default:
		return f, cli.Usagef("--role: %q is not worker or sensor", c.Role)
	}
	switch f.Status {
	case "", schema.WorkerActive, schema.WorkerInactive, schema.WorkerBusy, schema.WorkerError:
	default:
		return f, cli.Usagef("--status: %q is not active, inactive, busy or error", c.Status)
	}
	if c.Limit < 0 {
		return f, cli.Usagef("--limit: %d is negative", c.Limit)
	}
	return f, nil
}

// Run lists workers.
func (c *workersListCmd) Run(ctx context.Context, env *cli.Env) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	db, err := env.OpenNamed(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	workers, err := db.Store.Workers.List(ctx, filter)
	if err != nil {
		return fmt.Errorf("list workers of %s: %w", db.Name, err)
	}
	if env.JSON {
		docs := make([]cli.WorkerDoc, 0, len(workers))
		for i := range workers {
			docs = append(docs, cli.WorkerDocOf(&workers[i]))
		}
		return cli.PrintJSON(env.Out, docs)
	}
	if len(workers) == 0 {
		env.Out.Printf("no workers%s\n", map[bool]string{true: "", false: " that fit"}[*c == workersListCmd{}])
		return nil
	}
	t := cli.NewTable("ID", "NAME", "ROLE", "STATUS", "HEARTBEAT", "RUNTIMES")
	t.Right = map[int]bool{0: true}
	for i := range workers {
		w := &workers[i]
		t.Row(cli.Cell{Text: strconv.FormatInt(w.ID, 10)}, cli.Cell{Text: w.Name}, cli.Cell{Text: cli.RoleName(w.WorkerRole)},
			cli.Cell{Text: cli.StatusName(w), Style: statusStyle(w)}, cli.Cell{Text: heartbeat(w)}, cli.Cell{Text: runtimesOf(w)})
	}
	t.Shrink = 5
	t.Print(env.Out)
	return nil
}

func statusStyle(w *schema.Worker) cli.Style {
	switch cli.StatusName(w) {
	case string(schema.WorkerActive), string(schema.WorkerBusy):
		return cli.Green
	case string(schema.WorkerError):
		return cli.Red
	}
	return cli.Dim
}

func heartbeat(w *schema.Worker) string {
	if w.LastHeartbeat == nil {
		return "never"
	}
	return w.LastHeartbeat.UTC().Format(time.RFC3339)
}

// runtimesOf are a worker's capability names with their newest versions.
func runtimesOf(w *schema.Worker) string {
	caps, err := capabilitiesOf(w)
	if err != nil {
		return "unreadable capabilities: " + err.Error()
	}
	if caps == nil {
		return "not registered by attune"
	}
	var names []string
	for _, name := range caps.Runtimes {
		if versions := caps.RuntimeVersions[name]; len(versions) > 0 {
			name += " " + versions[0]
		}
		names = append(names, name)
	}
	return cli.Or(strings.Join(names, ", "), "none")
}

func capabilitiesOf(w *schema.Worker) (*detect.Capabilities, error) {
	if len(w.Capabilities) == 0 || string(w.Capabilities) == "null" {
		return nil, nil
	}
	caps := new(detect.Capabilities)
	if err := json.Unmarshal(w.Capabilities, caps); err != nil {
		return nil, err
	}
	return caps, nil
}

type workersShowCmd struct {
	Name string `arg:"" help:"Name or id of a worker." placeholder:"NAME|ID"`
}

// Run shows the workers of a name; several roles may share one.
func (c *workersShowCmd) Run(ctx context.Context, env *cli.Env) error {
	db, err := env.OpenNamed(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	workers, err := db.Store.Workers.List(ctx, store.WorkerFilter{Name: c.Name})
	if err != nil {
		return fmt.Errorf("show worker %q of %s: %w", c.Name, db.Name, err)
	}
	if id, perr := strconv.ParseInt(c.Name, 10, 64); perr == nil && len(workers) == 0 {
		w, err := db.Store.Workers.Get(ctx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("show worker %d of %s: %w", id, db.Name, err)
		}
		if err == nil {
			workers = append(workers, *w)
		}
	}
	if len(workers) == 0 {
		return fmt.Errorf("no worker %q in %s; `attune workers list` shows all", c.Name, db.Name)
	}
	if env.JSON {
		docs := make([]cli.WorkerDoc, 0, len(workers))
		for i := range workers {
			docs = append(docs, cli.WorkerDocOf(&workers[i]))
		}
		return cli.PrintJSON(env.Out, docs)
	}
	for i := range workers {
		if i > 0 {
			env.Out.Printf("\n")
		}
		printWorker(env.Out, &workers[i])
	}
	return nil
}

func printWorker(out *cli.Terminal, w *schema.Worker) {
	field := func(name, text string) {
		if text != "" {
			out.Printf("%-12s %s\n", name, cli.Clean(text))
		}
	}
	field("worker", fmt.Sprintf("%s (id %d)", w.Name, w.ID))
	field("role", cli.RoleName(w.WorkerRole))
	field("type", string(w.WorkerType))
	field("status", cli.StatusName(w))
	field("heartbeat", heartbeat(w))
	if w.Host != nil {
		field("host", *w.Host)
	}
	if w.Port != nil {
		field("port", strconv.Itoa(*w.Port))
	}
	field("meta", compact(w.Meta))
	field("updated", w.Updated.UTC().Format(time.RFC3339))
	caps, err := capabilitiesOf(w)
	switch {
	case err != nil:
		field("capabilities", "unreadable: "+err.Error())
	case caps == nil:
		field("capabilities", "none; it was not registered by attune")
	default:
		field("source", string(caps.Source))
		out.Printf("\n")
		cli.PrintDetected(out, caps)
		cli.PrintAbsent(out, caps, "")
	}
}
