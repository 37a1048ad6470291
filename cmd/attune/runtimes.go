package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type runtimesCmd struct {
	List   runtimesListCmd   `cmd:"" help:"List the runtimes, by ref."`
	Show   runtimesShowCmd   `cmd:"" help:"Show everything about one runtime."`
	Delete runtimesDeleteCmd `cmd:"" help:"Delete one runtime, unless something refers to it."`
}

type runtimesListCmd struct {
	cli.Output
	Pack  string `help:"Show only the runtimes of this pack." placeholder:"REF"`
	After string `help:"Start after this ref." placeholder:"REF"`
	Limit int    `help:"Show at most N; 0 shows all (default: 0)." placeholder:"N"`
}

// Run lists the runtimes.
func (c *runtimesListCmd) Run(ctx context.Context, env *cli.Env) error {
	if c.Limit < 0 {
		return cli.Usagef("--limit must be at least 0, got %d", c.Limit)
	}
	rows, err := c.Rows(env, "ref", "pack_ref", "name", "aliases", "description", "distributions", "execution_config", "versions")
	if err != nil {
		return err
	}
	src, err := sourceOr(ctx, env, func(ctx context.Context, env *cli.Env) (*cli.Database, error) { return env.OpenToLook(ctx) })
	if err != nil {
		return err
	}
	defer src.close()
	defs, guest, err := c.definitions(ctx, env, src)
	if err != nil {
		return fmt.Errorf("list runtimes of %s: %w", src.name(), err)
	}
	all := len(defs)
	defs = c.page(env, defs)
	if rows != nil {
		return cli.PrintRows(rows, defs)
	}
	if len(defs) == 0 {
		if all > 0 {
			env.Out.Printf("no runtimes that fit; there are %d\n", all)
			return nil
		}
		env.Out.Printf("no runtimes; `attune packs load core` brings the usual ones\n")
		return nil
	}
	t := cli.NewTable("REF", "NAME", "ALSO", "ROLES", "VERIFIED BY")
	for i := range defs {
		row := answer.RuntimeRowOf(&defs[i], guest)
		t.Row(cli.Cell{Text: row.Ref}, cli.Cell{Text: row.Name, Style: cli.Cyan},
			cli.Cell{Text: cli.Or(strings.Join(row.Also, ", "), "-")}, cli.Cell{Text: roles(&row)}, verifiedBy(&row))
	}
	t.Shrink, t.Drop = 4, []int{2, 3}
	t.Print(env.Out)
	if count := cli.Count(all, "runtime"); len(defs) < all {
		env.Out.Printf("%s; %d shown\n", count, len(defs))
	} else {
		env.Out.Printf("%s\n", count)
	}
	return nil
}

// page returns the definitions that are listed, and notes how the list goes on.
func (c *runtimesListCmd) page(env *cli.Env, defs []metadata.Definition) []metadata.Definition {
	page := answer.RuntimesQuery{Pack: c.Pack, After: c.After}.Page(defs)
	if c.Limit == 0 || len(page) <= c.Limit {
		return page
	}
	page = page[:c.Limit]
	env.Note(fmt.Sprintf("more runtimes follow; --limit 0 shows all, and --after %s goes on", page[c.Limit-1].Ref))
	return page
}

// definitions returns the definitions of a source, and logs what it leaves out.
func (c *runtimesListCmd) definitions(ctx context.Context, env *cli.Env, src source) (defs []metadata.Definition, guest bool, err error) {
	found, err := src.definitions(ctx)
	if err != nil {
		return nil, false, err
	}
	if text := found.LeftOut.String(); text != "" {
		env.Warn(text)
	}
	guest, err = src.guest(ctx)
	return found.Definitions, guest, err
}

func roles(r *answer.RuntimeRow) string {
	var names []string
	for _, role := range r.Roles {
		names = append(names, string(role))
	}
	return strings.Join(names, ", ")
}

// verifiedBy describes in a few words how a host verifies a runtime.
func verifiedBy(r *answer.RuntimeRow) cli.Cell {
	switch r.Verification {
	case answer.Malformed:
		return cli.Cell{Text: "malformed: " + r.Fault, Style: cli.Red}
	case answer.AlwaysAvailable:
		return cli.Cell{Text: "always available"}
	case answer.Unverified:
		return cli.Cell{Text: "taken as available, unverified"}
	case answer.NotVerifiable:
		return cli.Cell{Text: "no verification"}
	}
	var lines []string
	for _, step := range r.Steps {
		line := "reads " + step.File
		if step.Command != nil {
			line = cli.Brief(step.Command)
		}
		if !slices.Contains(lines, line) { // two commands may be equally brief
			lines = append(lines, line)
		}
	}
	return cli.List(lines, "; ")
}

type runtimesShowCmd struct {
	Name string `arg:"" help:"Ref, alias or name: core.python, python3, Python." placeholder:"REF|NAME"`
}

// Run shows one runtime.
func (c *runtimesShowCmd) Run(ctx context.Context, env *cli.Env) error {
	src, err := sourceToLook(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	def, note, err := src.definition(ctx, c.Name)
	if errors.Is(err, store.ErrNotFound) {
		return noRuntime(ctx, src, c.Name)
	}
	if err != nil {
		return fmt.Errorf("show runtime %q of %s: %w", c.Name, src.name(), err)
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, def)
	}
	guest, err := src.guest(ctx)
	if err != nil {
		return fmt.Errorf("show runtime %q of %s: %w", c.Name, src.name(), err)
	}
	if src.pending() != nil {
		printDefinition(env.Out, def, note, guest)
		env.Out.PrintProse(cli.Plain, "workers", 14, "not known before `attune migrate up`")
		return nil
	}
	const shown = 100
	holders, all, err := src.holders(ctx, def.Ref, shown)
	if err != nil {
		return fmt.Errorf("workers with %s: %w", def.Ref, err)
	}
	printDefinition(env.Out, def, note, guest)
	names := make([]string, 0, len(holders))
	for _, w := range holders {
		text := cli.Clean(w.Name) + " (" + w.Role
		switch {
		case w.Stale:
			text += ", stale"
		case w.Status == "" || w.Status == string(schema.WorkerInactive):
			text += ", inactive"
		}
		names = append(names, text+")")
	}
	text := cli.Or(strings.Join(names, ", "), "none registered with it")
	if more := all - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more; `attune workers list --has %s` lists them", more, def.Ref)
	}
	env.Out.PrintProse(cli.Plain, "workers", 14, text)
	return nil
}

// noRuntime returns the error for a name that no runtime has.
func noRuntime(ctx context.Context, src source, name string) error {
	index, _, err := indexOf(ctx, src)
	if err != nil {
		return err
	}
	return unknownRuntime(src, &answer.UnknownRuntimeError{Name: name, Near: index.Nearest(name)})
}

func printDefinition(out *cli.Terminal, d *metadata.Definition, note string, guest bool) {
	row := answer.RuntimeRowOf(d, guest)
	field := cli.NewWideFields(out, "", 13)
	field("ref", d.Ref)
	field("name", d.Name)
	field("capability", row.Name)
	field("also", strings.Join(row.Also, ", "))
	field("description", strings.TrimSpace(d.Description))
	if row.Fault != "" {
		out.Printf("%-13s %s\n", "malformed", out.Paint(cli.Red, cli.CleanLines(row.Fault)))
	}
	field("note", note)
	field("roles", roles(&row))
	field("min version", d.Distributions.MinVersion)
	field("recommended", d.Distributions.RecommendedVersion)
	if in := d.ExecutionConfig.Interpreter; in != nil && in.Binary != "" {
		field("interpreter", host.CommandLine(in.Binary, in.Args))
	}
	if row.Verification == answer.VerifiedByVersions {
		field("verification", "that of its versions")
	} else {
		printVerification(out, d.Distributions)
	}
	for _, v := range d.Versions {
		note := ""
		if v.IsDefault {
			note = " (default)"
		}
		field("version", v.Version+note)
		printVerification(out, v.Distributions)
	}
}

func printVerification(out *cli.Terminal, d metadata.Distributions) {
	switch v := d.Verification; {
	case d.Fault() != nil:
		out.Printf("verification  %s\n", out.Paint(cli.Red, "malformed"))
	case v == nil:
		out.Printf("verification  none\n")
	case v.AlwaysAvailable:
		out.Printf("verification  always available\n")
	case !v.CheckRequiredOrDefault():
		out.Printf("verification  not required\n")
	default:
		out.Printf("verification\n")
		for _, c := range v.Ordered() {
			out.Printf("  %-4s %s%s\n", strconv.Itoa(c.PriorityOrDefault()),
				cli.Clean(host.CommandLine(c.Binary, c.Args)), cli.Clean(conditions(c)))
		}
		for _, l := range v.Locations {
			out.Printf("  at   %s\n", cli.Clean(l))
		}
		if f := v.VersionFile; f != nil {
			out.Printf("  read %s  (version matches %s)\n", cli.Clean(f.Path), cli.Clean(f.Pattern))
		}
	}
}

// conditions returns what a command expects besides success.
func conditions(c metadata.Command) string {
	var list []string
	if c.ExitCode != 0 {
		list = append(list, fmt.Sprintf("exits with %d", c.ExitCode))
	}
	if c.Pattern != "" {
		list = append(list, "matches "+c.Pattern)
	}
	if c.VersionPattern != "" {
		list = append(list, "version matches "+c.VersionPattern)
	}
	if c.AllVersions {
		list = append(list, "each match is a version")
	}
	if c.VersionedNames {
		list = append(list, "also names with a version")
	}
	if c.Optional {
		list = append(list, "optional")
	}
	if len(list) == 0 {
		return ""
	}
	return "  (" + strings.Join(list, ", ") + ")"
}

// compact returns JSON on one line.
func compact(text json.RawMessage) string {
	if len(text) == 0 {
		return ""
	}
	out, err := json.Marshal(text)
	if err != nil {
		return string(text)
	}
	return string(out)
}
