package cli

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/cmd/internal/config"
)

// values read numbers and times, and say what they look like where one cannot be
// read.
func values() []kong.Option {
	options := []kong.Option{kong.TypeMapper(reflect.TypeFor[time.Duration](), valueOf("time", func(text string, to reflect.Value) error {
		d, err := config.ParseSpan(text)
		if err != nil {
			return err
		}
		to.SetInt(int64(d))
		return nil
	}))}
	for _, kind := range []reflect.Kind{reflect.Int, reflect.Int64} {
		options = append(options, kong.KindMapper(kind, valueOf("number", func(text string, to reflect.Value) error {
			n, err := strconv.ParseInt(text, 10, to.Type().Bits())
			switch {
			case errors.Is(err, strconv.ErrRange):
				return fmt.Errorf("must fit into %d bits, got %s", to.Type().Bits(), text)
			case err != nil:
				return fmt.Errorf("must be a whole number, got %q", text)
			}
			to.SetInt(n)
			return nil
		})))
	}
	return options
}

// CheckName returns an error if a worker cannot have a name.
func CheckName(name string) error {
	if name != Clean(name) || len(name) > 255 || strings.TrimSpace(name) == "" {
		return fmt.Errorf("must be a name of 1 to 255 bytes that is not blank and has no control characters, got %.60q", name)
	}
	return nil
}

func valueOf(what string, read func(text string, to reflect.Value) error) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		token, err := ctx.Scan.PopValue(what)
		if err != nil {
			return err
		}
		return read(fmt.Sprint(token.Value), target)
	}
}

// commandOf is the command that was given, without its arguments: what --help
// can stand behind.
func commandOf(k *kong.Context) string {
	var names []string
	for _, p := range k.Path {
		if p.Command != nil {
			names = append(names, p.Command.Name)
		}
	}
	return strings.Join(names, " ")
}

// forgetEmpty unsets our variables that are blank, such as `X=` in an environment
// file of systemd or compose. The database variable is set to an empty text instead,
// because the line that names the database in use mentions it.
func forgetEmpty() {
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case !strings.HasPrefix(name, "ATTUNE_") || strings.TrimSpace(value) != "":
		case name == databaseVariable:
			_ = os.Setenv(name, "") // neither fails for an existing name
		default:
			_ = os.Unsetenv(name)
		}
	}
}

// sourceOf names the variable that a wrong value came from, unless it came from the
// flag or the error names the variable. Kong's errors name it for values that do not
// parse, but not for values outside an enumeration.
func sourceOf(err error, k *kong.Context, args []string) string {
	for _, f := range k.Flags() {
		flag := "--" + f.Name
		about, _, _ := strings.Cut(err.Error(), " ")
		if about, _, _ = strings.Cut(about, "="); strings.TrimSuffix(about, ":") != flag {
			continue
		}
		if slices.ContainsFunc(args, func(arg string) bool { return arg == flag || strings.HasPrefix(arg, flag+"=") }) {
			continue
		}
		for _, name := range f.Envs {
			if _, set := os.LookupEnv(name); set && !strings.Contains(err.Error(), "(from envar "+name+"=") {
				return " (from the variable " + name + ")"
			}
		}
	}
	return ""
}

// emptyDatabase refuses --database "": an unset variable in quotes must not mean
// some other database.
func emptyDatabase(k *kong.Context, g *Globals) error {
	for _, p := range k.Path {
		if p.Flag != nil && p.Flag.Name == "database" && strings.TrimSpace(g.Database) == "" {
			return Usagef("--database must not be empty: is the variable unset? write postgres://… or sqlite:PATH, or leave the flag out")
		}
	}
	return nil
}
