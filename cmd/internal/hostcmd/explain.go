package hostcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

type explainCmd struct {
	source
	memoryFlags
	ExitCode bool   `help:"Exit with 3 if the runtime is not available."`
	Runtime  string `arg:"" help:"Ref, alias or name: core.python, python3, Python." placeholder:"REF|NAME"`
}

// Run verifies one runtime by all its commands and shows each attempt.
func (c *explainCmd) Run(ctx context.Context, env *cli.Env, role metadata.Role) error {
	db, err := openToLook(ctx, env)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close()
	}
	recorded, err := c.host()
	if err != nil {
		return err
	}
	memory, err := c.memory(env, role)
	if err != nil {
		return err
	}
	progress := newProgress(env.Err)
	det, err := c.detector(ctx, env, role, db, detect.Config{Host: recorded, Memory: memory, Progress: progress.update})
	if err != nil {
		return err
	}
	e, err := det.Explain(ctx, c.Runtime)
	progress.clear()
	if errors.Is(err, detect.ErrUnknownName) {
		return c.unknown(ctx, env, role, db, "explain", c.Runtime)
	}
	if err != nil {
		return err
	}
	if note := c.notes[e.Ref]; note != "" {
		e.Warnings = append([]string{note}, e.Warnings...)
	}
	if env.JSON {
		err = cli.PrintJSON(env.Out, e)
	} else {
		printExplanation(env.Out, e)
	}
	if err == nil && c.ExitCode && e.Outcome != capability.Available {
		return &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

// unknown returns the error for a name that no runtime has.
func (s *source) unknown(ctx context.Context, env *cli.Env, role metadata.Role, db *cli.Database, command, name string) error {
	if i := strings.IndexAny(name, "@<>=~^"); i > 0 {
		return cli.Usagef("%s: must be a runtime without versions, such as %s, got %q", command, strings.TrimSpace(name[:i]), name)
	}
	quiet := *env // the warnings have been printed
	quiet.Err = cli.NewTerminal(io.Discard, true)
	found, err := s.definitions(ctx, &quiet, db)
	if err != nil {
		return err
	}
	where := "the core pack"
	if found.from == capability.SourceDatabase {
		where = db.Name
	}
	var known []string
	for i := range found.defs {
		def := &found.defs[i]
		known = append(known, append([]string{def.Ref, def.CapabilityName()}, def.Aliases...)...)
	}
	text := fmt.Sprintf("no runtime %q is defined in %s", name, where)
	if near := metadata.Nearest(name, known); near != "" {
		return fmt.Errorf("%s; did you mean %s?", text, near)
	}
	return fmt.Errorf("%s; a definition is one row, or a pack: `attune packs init`, then `%s %s %s --pack DIR`", text, role, command, name)
}

func printExplanation(out *cli.Terminal, e *detect.Explanation) {
	style := cli.Green
	switch {
	case e.Outcome.CouldNotTell():
		style = cli.Red
	case e.Outcome != capability.Available:
		style = cli.Yellow
	}
	out.Printf("%s (%s): %s\n", out.Paint(cli.Bold, cli.Clean(e.Name)), cli.Clean(e.Ref), out.Paint(style, string(e.Outcome)))
	for i := range e.Detected {
		d := &e.Detected[i]
		out.Printf("  %s  %s  %s\n", cli.Or(d.Version, "no version"), cli.Clean(d.Path), knownFrom(d))
	}
	field := cli.NewFields(out, "  ")
	if len(e.Attempts) != 1 { // else the one attempt says it
		field("why", e.Detail)
		field("helps", e.Hint)
	}
	for _, w := range e.Warnings {
		field("warning", w)
	}
	for i := range e.Attempts {
		out.Printf("\n")
		cli.PrintAttempt(out, i+1, &e.Attempts[i])
	}
}

func knownFrom(d *capability.Installation) string {
	if d.Remembered {
		return origin(d) + ", remembered from " + d.VerifiedAt.Local().Format(time.DateTime)
	}
	return origin(d)
}

func origin(d *capability.Installation) string {
	if d.Shim != "" {
		return "run by the shim " + cli.Clean(d.Shim)
	}
	if d.RealPath != "" && d.RealPath != d.Path {
		return "really " + cli.Clean(d.RealPath)
	}
	return string(d.Source)
}
