package cli

import (
	"errors"
	"fmt"
	"reflect"
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
	return append(options, kong.KindMapper(reflect.Bool, boolean{}), kong.KindMapper(reflect.String, kong.MapperFunc(text)))
}

// A boolean reads true and false. A flag without a value is true.
type boolean struct{}

// IsBool reports true, so that kong asks for no value.
func (boolean) IsBool() bool { return true }

// Decode sets the target.
func (boolean) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		target.SetBool(true)
		return nil
	}
	switch text := fmt.Sprint(ctx.Scan.Pop().Value); strings.ToLower(text) {
	case "true", "1", "yes":
		target.SetBool(true)
	case "false", "0", "no":
		target.SetBool(false)
	default:
		return fmt.Errorf("must be true or false, got %q", text)
	}
	return nil
}

// text reads a text, which must be one of the choices if there are any.
func text(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("string")
	if err != nil {
		return err
	}
	value := fmt.Sprint(token.Value)
	choices := ctx.Value.EnumSlice()
	if ctx.Value.Enum != "" && !slices.Contains(choices, value) {
		return fmt.Errorf("must be %s, got %q", oneOf(choices), value)
	}
	target.SetString(value)
	return nil
}

// oneOf lists choices as people write them. An empty choice is left out.
func oneOf(choices []string) string {
	choices = slices.DeleteFunc(choices, func(c string) bool { return c == "" })
	last := len(choices) - 1
	if last < 1 {
		return strings.Join(choices, "")
	}
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
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

// refusals holds the errors of values that could not be read, by flag or argument. Kong keeps
// only the text of an error about a variable.
type refusals map[*kong.Value]error

// record makes the mappers of a model record their errors. It leaves the variables of flags to variables.options.
func (r refusals) record(app *kong.Application) error {
	return kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if value, ok := node.(*kong.Value); ok {
			value.Mapper = recorded(value, r)
			value.Tag.Envs = nil // a flag has them too
		}
		return next(nil)
	})
}

// recorded returns the mapper of a value with a record of its errors.
func recorded(value *kong.Value, r refusals) kong.Mapper {
	m := &recording{value.Mapper, r}
	if value.IsBool() {
		return recordingBool{m}
	}
	return m
}

type recording struct {
	kong.Mapper
	refusals refusals
}

// Decode decodes as the mapper does.
func (m *recording) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	err := m.Mapper.Decode(ctx, target)
	if err != nil {
		m.refusals[ctx.Value] = err
	}
	return err
}

type recordingBool struct{ *recording }

// IsBool reports true, so that kong asks for no value.
func (recordingBool) IsBool() bool { return true }

// faultOf returns the text of an error of the command line. An error about a flag that was not
// given names the variable instead, which the value came from.
func (r refusals) faultOf(err error, k *kong.Context, vars variables, args []string) string {
	for _, f := range k.Flags() {
		flag := "--" + f.Name
		given := slices.ContainsFunc(args, func(arg string) bool { return arg == flag || strings.HasPrefix(arg, flag+"=") })
		if r[f.Value] == nil || given {
			continue
		}
		for _, name := range f.Envs {
			if _, set := vars[name]; set {
				return name + ": " + r[f.Value].Error()
			}
		}
	}
	return err.Error()
}

// emptyDatabase refuses --database "": an unset variable in quotes must not mean
// some other database.
func emptyDatabase(k *kong.Context, g *Globals) error {
	if Given(k, "database") && strings.TrimSpace(g.Database) == "" {
		return Usagef("--database must not be empty: is the variable unset? write postgres://… or sqlite:PATH, or leave the flag out")
	}
	return nil
}
