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
	Pack  string `help:"Show only the runtimes of this pack." placeholder:"REF"`
	After string `help:"Start after this ref." placeholder:"REF"`
	Limit int    `help:"Show at most N; 0 shows all (default: 0)." placeholder:"N"`
}

// Run lists the runtimes.
func (c *runtimesListCmd) Run(ctx context.Context, env *cli.Env) error {
	if c.Limit < 0 {
		return cli.Usagef("--limit must be at least 0, got %d", c.Limit)
	}
	db, err := env.OpenToLook(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	defs, leftOut, err := db.BoundedDefinitions(ctx)
	if err != nil {
		return fmt.Errorf("list runtimes of %s: %w", db.Name, err)
	}
	if text := leftOut.String(); text != "" {
		env.Warn(text)
	}
	all := len(defs)
	defs = c.page(defs)
	if env.JSON {
		return cli.PrintJSON(env.Out, defs)
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
		d := &defs[i]
		t.Row(cli.Cell{Text: d.Ref}, cli.Cell{Text: d.CapabilityName(), Style: cli.Cyan}, cli.Cell{Text: cli.Or(also(d), "-")},
			cli.Cell{Text: roles(d)}, verifiedBy(d))
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

func (c *runtimesListCmd) page(defs []metadata.Definition) []metadata.Definition {
	page := []metadata.Definition{}
	for _, d := range defs {
		if d.Ref <= c.After || (c.Pack != "" && d.PackRef != c.Pack && metadata.PackOf(d.Ref) != c.Pack) {
			continue
		}
		if c.Limit > 0 && len(page) == c.Limit {
			break
		}
		page = append(page, d)
	}
	return page
}

func also(d *metadata.Definition) string {
	if d.Aliases.Fault() != nil || len(d.Aliases) < 2 {
		return ""
	}
	return strings.Join(d.Aliases[1:], ", ")
}

func roles(d *metadata.Definition) string {
	var names []string
	for _, r := range []metadata.Role{metadata.Worker, metadata.Sensor} {
		if d.HasRole(r) {
			names = append(names, string(r))
		}
	}
	return strings.Join(names, ", ")
}

// verifiedBy describes in a few words how a host verifies a runtime.
func verifiedBy(d *metadata.Definition) cli.Cell {
	if fault := d.Validate(); fault != nil {
		return cli.Cell{Text: "malformed: " + fault.Error(), Style: cli.Red}
	}
	v := d.Distributions.Verification
	switch {
	case v == nil:
	case v.AlwaysAvailable:
		return cli.Cell{Text: "always available"}
	case !v.CheckRequiredOrDefault():
		return cli.Cell{Text: "taken as available, unverified"}
	}
	lines := commandLines(nil, v)
	for i := range d.Versions {
		lines = commandLines(lines, d.Versions[i].Distributions.Verification)
	}
	if len(lines) == 0 {
		return cli.Cell{Text: "no verification"}
	}
	return cli.List(lines, "; ")
}

// commandLines adds the commands of a verification and its version file, each once, in their
// order.
func commandLines(lines []string, v *metadata.Verification) []string {
	if v == nil {
		return lines
	}
	add := func(line string) {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for _, c := range v.Ordered() {
		add(cli.Brief(append([]string{c.Binary}, c.Args...)))
	}
	if v.VersionFile != nil {
		add("reads " + v.VersionFile.Path)
	}
	return lines
}

// byVersions reports whether versions have the verification that the definition
// itself lacks.
func byVersions(d *metadata.Definition) bool {
	if d.Distributions.Verification != nil || d.Distributions.Fault() != nil {
		return false
	}
	return slices.ContainsFunc(d.Versions, func(v metadata.VersionDefinition) bool {
		return v.Distributions.Verification != nil && len(v.Distributions.Verification.Commands) > 0
	})
}

type runtimesShowCmd struct {
	Name string `arg:"" help:"Ref, alias or name: core.python, python3, Python." placeholder:"REF|NAME"`
}

// Run shows one runtime.
func (c *runtimesShowCmd) Run(ctx context.Context, env *cli.Env) error {
	db, err := openToLook(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	def, note, err := c.find(ctx, db)
	if errors.Is(err, store.ErrNotFound) {
		return unknownRuntime(ctx, db, c.Name)
	}
	if err != nil {
		return fmt.Errorf("show runtime %q of %s: %w", c.Name, db.Name, err)
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, def)
	}
	if db.Pending != nil {
		printDefinition(env.Out, def, note)
		env.Out.PrintProse(cli.Plain, "workers", 14, "not known before `attune migrate up`")
		return nil
	}
	having := store.Selection{Has: []store.Requirement{{Ref: def.Ref}}}
	var names []string
	more, err := answer.ListWorkers(ctx, db.Store, answer.ListQuery{Selection: having, Limit: pageLimit}, func(workers []answer.Listed) error {
		for i := range workers {
			w := &workers[i]
			text := cli.Clean(w.Name) + " (" + w.Role
			switch {
			case w.Stale:
				text += ", stale"
			case w.Status == "" || w.Status == string(schema.WorkerInactive):
				text += ", inactive"
			}
			names = append(names, text+")")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("workers with %s: %w", def.Ref, err)
	}
	text := cli.Or(strings.Join(names, ", "), "none registered with it")
	if more != "" {
		n, err := answer.Holders(ctx, db.Store, def.Ref)
		if err != nil {
			return fmt.Errorf("count workers with %s: %w", def.Ref, err)
		}
		text += fmt.Sprintf(" and %d more; `attune workers list --has %s` lists them", n-len(names), def.Ref)
	}
	printDefinition(env.Out, def, note)
	env.Out.PrintProse(cli.Plain, "workers", 14, text)
	return nil
}

// find returns the definition with the name, and in a guest what the core pack adds to it.
func (c *runtimesShowCmd) find(ctx context.Context, db *cli.Database) (def *metadata.Definition, note string, err error) {
	if db.Guest() {
		index, found, err := db.Index(ctx)
		if err != nil {
			return nil, "", err
		}
		def, ok := index.Resolve(c.Name)
		if !ok {
			return nil, "", store.ErrNotFound
		}
		return def, found.Notes[def.Ref], nil
	}
	row, err := db.Store.Runtimes.Resolve(ctx, c.Name)
	if err == nil {
		def, err = db.Store.Runtimes.Definition(ctx, row.Ref)
	}
	return def, "", err
}

// unknownRuntime returns the error for a name that no runtime has.
func unknownRuntime(ctx context.Context, db *cli.Database, name string) error {
	_, found, err := db.Index(ctx)
	if err != nil {
		return err
	}
	var known []string
	for i := range found.Definitions {
		known = append(known, found.Definitions[i].Ref, found.Definitions[i].CapabilityName())
	}
	text := fmt.Sprintf("no runtime %q in %s", name, db.Name)
	if near := metadata.Nearest(name, known); near != "" {
		text += "; did you mean " + near + "?"
	} else {
		text += "; `attune runtimes list` shows all"
	}
	return errors.New(text)
}

func printDefinition(out *cli.Terminal, d *metadata.Definition, note string) {
	field := cli.NewWideFields(out, "", 13)
	field("ref", d.Ref)
	field("name", d.Name)
	field("capability", d.CapabilityName())
	field("also", also(d))
	field("description", strings.TrimSpace(d.Description))
	if err := d.Validate(); err != nil {
		out.Printf("%-13s %s\n", "malformed", out.Paint(cli.Red, cli.CleanLines(err.Error())))
	}
	field("note", note)
	field("roles", roles(d))
	field("min version", d.Distributions.MinVersion)
	field("recommended", d.Distributions.RecommendedVersion)
	if in := d.ExecutionConfig.Interpreter; in != nil && in.Binary != "" {
		field("interpreter", host.CommandLine(in.Binary, in.Args))
	}
	if byVersions(d) {
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
