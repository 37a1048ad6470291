package cli

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/runtime/answer"
)

// values read numbers and times, and say what they look like where one cannot be
// read.
func values() []kong.Option {
	options := []kong.Option{kong.TypeMapper(reflect.TypeFor[time.Duration](), valueOf("time", func(text string, to reflect.Value) error {
		d, err := answer.ParseSpan(text)
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
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("must not be blank")
	case name != strings.TrimSpace(name):
		return fmt.Errorf("must not begin or end with a blank, got %.60q", name)
	case name != Clean(name):
		return fmt.Errorf("must not have control characters, got %.60q", name)
	case len(name) > 255:
		return fmt.Errorf("must have at most 255 bytes, got %d", len(name))
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

// faultOf returns the text of an error of the command line. An error about a flag that was not
// given names the variable instead, which the value came from.
func faultOf(err error, k *kong.Context, args []string) string {
	text := listed(err.Error())
	for _, f := range k.Flags() {
		flag := "--" + f.Name
		rest, about := strings.CutPrefix(text, flag)
		if !about || !strings.ContainsAny(rest[:min(1, len(rest))], ": =") {
			continue
		}
		if slices.ContainsFunc(args, func(arg string) bool { return arg == flag || strings.HasPrefix(arg, flag+"=") }) {
			continue
		}
		for _, name := range f.Envs {
			if value, set := os.LookupEnv(name); set {
				rest = strings.Replace(rest, "="+value, "", 1) // of a flag without a value
				return name + strings.TrimSuffix(rest, fmt.Sprintf(" (from envar %s=%q)", name, value))
			}
		}
	}
	return text
}

// enumeration matches the part of an error of kong that lists the values to choose from.
var enumeration = regexp.MustCompile(`must be one of (?:"",)?("[^ ]*") but got `)

// listed returns a text of kong's with the values to choose from as people write them.
func listed(text string) string {
	text = strings.Replace(text, "bool value must be true, 1, yes, false, 0 or no but got ", "must be true or false, got ", 1)
	return enumeration.ReplaceAllStringFunc(text, func(m string) string {
		names := strings.Split(strings.ReplaceAll(enumeration.FindStringSubmatch(m)[1], `"`, ""), ",")
		last := len(names) - 1
		if last == 0 {
			return "must be " + names[0] + ", got "
		}
		return "must be " + strings.Join(names[:last], ", ") + " or " + names[last] + ", got "
	})
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
