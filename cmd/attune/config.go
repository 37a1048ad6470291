package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/runtime/host"
)

type configCmd struct {
	Program string `arg:"" optional:"" help:"Show only the keys that this program reads: worker, sensor or attune (default: all)." placeholder:"worker|sensor|attune"`

	// given holds the flags that were given, with their values.
	given map[string]any
}

// Help returns the longer text of --help.
func (c *configCmd) Help() string {
	return "A flag wins over the environment, the environment over the config file, and the file over the default. " +
		"The answer is for this user, folder and environment: for a service, run it as the service's user. Passwords in URLs are masked. " +
		"Exits with 1 and names each fault if a program refuses one of the values."
}

// AfterApply notes the flags that were given.
func (c *configCmd) AfterApply(k *kong.Context) error { //nolint:unparam // kong calls hooks that return an error
	c.given = map[string]any{}
	for _, p := range k.Path {
		if p.Flag != nil {
			c.given["--"+p.Flag.Name] = p.Flag.Target.Interface()
		}
	}
	return nil
}

// Run shows the settings in effect, and where each comes from.
func (c *configCmd) Run(env *cli.Env) error {
	switch c.Program {
	case "", "worker", "sensor", "attune":
	default:
		return cli.Usagef("must be worker, sensor or attune, got %q", c.Program)
	}
	settings := env.File.Settings(c.Program, c.given, os.Getenv)
	var faults []string
	for i := range settings {
		s := &settings[i]
		s.Default = concrete(s)
		if s.Key == "log_level" && env.Verbose && env.LogLevel != "debug" {
			s.Source, s.Where, s.Value = config.FromFlag, "--verbose", "info"
		}
		if name, ok := s.Value.(string); ok && strings.HasSuffix(s.Key, "r.name") { // worker and sensor
			if err := cli.CheckName(name); err != nil {
				s.Fault = err.Error()
			}
		}
		if s.Fault != "" {
			place := s.Where
			if s.Source == config.FromFile && !strings.HasPrefix(s.Fault, s.Key) {
				place += ": " + s.Key
			}
			faults = append(faults, place+": "+s.Fault)
		}
	}
	var err error
	if env.JSON {
		err = cli.PrintJSON(env.Out, settings)
	} else {
		printSettings(env.Out, settings)
		if env.File.Elsewhere() && c.Program != "attune" {
			env.Out.Printf("`worker run` and `sensor run` do not read %s of this folder; to see what they use, ask in another folder\n",
				cli.Clean(env.File.Path))
		}
	}
	if err == nil && len(faults) > 0 {
		err = fmt.Errorf("%s refused:\n%s", cli.Count(len(faults), "value"), strings.Join(faults, "\n"))
	}
	return err
}

// concrete returns the default of a setting on this host.
func concrete(s *config.Setting) string {
	if s.Source != config.FromDefault {
		return s.Default
	}
	switch s.Key {
	case "database.url":
		path, err := cli.EmbeddedFile(os.Getenv)
		if err != nil {
			return "none"
		}
		if _, err := host.Stat(path); err != nil {
			return "none; register and run make sqlite:" + path
		}
		return "sqlite:" + path
	case "worker.name", "sensor.name":
		if name, err := os.Hostname(); err == nil {
			return name
		}
	}
	return s.Default
}

func printSettings(out *cli.Terminal, settings []config.Setting) {
	t := cli.NewTable("KEY", "VALUE", "FROM")
	t.Shrink = 1
	for i := range settings {
		s := &settings[i]
		value, from := cli.Cell{Text: s.Text()}, s.Where
		switch {
		case s.Fault != "":
			value.Style = cli.Red
		case s.Source == config.FromDefault:
			value.Style, from = cli.Dim, string(s.Source)
		}
		t.Row(cli.Cell{Text: s.Key, Style: cli.Cyan}, value, cli.Cell{Text: from, Style: cli.Dim, Aside: s.Source == config.FromDefault})
	}
	t.Print(out)
}
