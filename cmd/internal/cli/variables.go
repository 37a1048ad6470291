package cli

import (
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// variables are an environment. Kong reads only the one of the process.
type variables map[string]string

// newVariables reads an environment in the form of os.Environ; nil is the one of the process. Variables of
// ours that are blank, such as `X=` in an environment file of systemd or compose, are left out. The database
// variable is kept as an empty text, because the line that names the database in use mentions it.
func newVariables(environ []string) variables {
	if environ == nil {
		environ = os.Environ()
	}
	v := variables{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case !strings.HasPrefix(name, "ATTUNE_") || strings.TrimSpace(value) != "":
			v[name] = value
		case name == databaseVariable:
			v[name] = ""
		default:
			delete(v, name)
		}
	}
	return v
}

// pairs returns the environment in the form of os.Environ.
func (v variables) pairs() []string {
	all := []string{}
	for name, value := range v {
		all = append(all, name+"="+value)
	}
	return all
}

// options make the flags of a command line read their variables from v. Kong does not, because refusals.record takes the
// names from their values.
func (v variables) options() []kong.Option {
	return []kong.Option{
		kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
			for _, name := range flag.Envs {
				if value, set := v[name]; set {
					return value, nil
				}
			}
			return nil, nil
		})),
		kong.ValueFormatter(func(value *kong.Value) string {
			if value.Flag == nil {
				return kong.DefaultHelpValueFormatter(value)
			}
			named, tag := *value, *value.Tag
			named.Tag, tag.Envs = &tag, value.Flag.Envs
			return kong.DefaultHelpValueFormatter(&named)
		}),
	}
}

// Given reports whether a command line has a flag, as opposed to a variable that sets it.
func Given(k *kong.Context, flag string) bool {
	_, given := givenFlags(k)["--"+flag]
	return given
}

// givenFlags returns the flags of a command line with their values.
func givenFlags(k *kong.Context) map[string]any {
	given := map[string]any{}
	for _, p := range k.Path {
		if p.Flag != nil && !p.Resolved {
			given["--"+p.Flag.Name] = p.Flag.Target.Interface()
		}
	}
	return given
}
