package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/runtime/host"
)

type configCmd struct {
	Program string `arg:"" optional:"" help:"Show only the keys that this program reads: worker, sensor or attune (default: all)." placeholder:"worker|sensor|attune"`
}

// Help returns the longer text of --help.
func (c *configCmd) Help() string {
	return "A flag wins over the environment, the environment over the config file, and the file over the default. " +
		"This user, folder and environment decide: to see the settings of a service, run the command as the service's user. " +
		"Passwords in URLs are masked. If a program refuses a value, the command names the fault and exits with 1."
}

// Run prints the settings in effect and the origin of each.
func (c *configCmd) Run(env *cli.Env) error {
	switch c.Program {
	case "", "worker", "sensor", "attune":
	default:
		return cli.Usagef("must be worker, sensor or attune, got %q", c.Program)
	}
	settings := env.File.Settings(c.Program, env.Flags, env.Getenv)
	var faults []string
	for i := range settings {
		s := &settings[i]
		s.Default = concrete(env, s)
		if s.Key == "log_level" && env.Verbose && env.LogLevel != "debug" {
			s.Source, s.Where, s.Value = config.FromFlag, "--verbose", "info"
		}
		if name, ok := s.Value.(string); ok && (s.Key == "worker.name" || s.Key == "sensor.name") {
			if err := cli.CheckName(name); err != nil {
				s.Fault = err.Error()
			}
		}
		if s.Fault != "" {
			place := config.Origin{Source: s.Source, Where: s.Where}.Place(s.Key)
			faults = append(faults, place+": "+s.Fault)
		}
	}
	var err error
	if env.JSON {
		err = cli.PrintJSON(env.Out, settings)
	} else {
		printSettings(env.Out, settings)
		if env.File.Elsewhere() && c.Program != "attune" {
			env.Out.Printf("`worker run` and `sensor run` do not read %s of this folder; run this command in another folder to see what they use\n",
				cli.Clean(env.File.Path))
		}
	}
	if err == nil && len(faults) > 0 {
		err = fmt.Errorf("%s refused:\n%s", cli.Count(len(faults), "value"), strings.Join(faults, "\n"))
	}
	return err
}

// concrete returns the default of a setting as it is on this host.
func concrete(env *cli.Env, s *config.Setting) string {
	if s.Source != config.FromDefault {
		return s.Default
	}
	switch s.Key {
	case "database.url":
		path, err := cli.EmbeddedFile(env.Getenv)
		if err != nil {
			return "none"
		}
		if _, err := host.Stat(path); err != nil {
			return "none; register and run create sqlite:" + path
		}
		return "sqlite:" + path
	case "worker.name", "sensor.name":
		if name, err := os.Hostname(); err == nil {
			return name
		}
	}
	return s.Default
}

// printSettings prints a table of settings.
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
