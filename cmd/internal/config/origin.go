package config

import "strings"

// An Origin is where a value comes from.
type Origin struct {
	Source Source
	// Where names it: a flag, a variable, or file and line. Empty for a default.
	Where string
}

// A Source is the kind of an origin.
type Source string

// The sources, the strongest first.
const (
	FromFlag        Source = "flag"
	FromEnvironment Source = "environment"
	FromFile        Source = "file"
	FromDefault     Source = "default"
)

// Place names the origin of a key in front of an error: the flag, the variable, or file and
// line with the key.
func (o Origin) Place(key string) string {
	switch o.Source {
	case FromFlag, FromEnvironment:
		return o.Where
	case FromFile:
		return o.Where + ": " + key
	}
	return key
}

// Origin returns where the value of a key, or of an entry such as policy.deny[0], comes from.
// flags holds the flags that were given.
func (f *File) Origin(key string, flags map[string]any, getenv func(string) string) Origin {
	key, _, _ = strings.Cut(key, "[")
	for _, k := range Keys("") {
		if k.Name == key {
			return f.origin(&k, flags, getenv)
		}
	}
	return f.Origins[key]
}

func (f *File) origin(k *Key, flags map[string]any, getenv func(string) string) Origin {
	if _, given := flags[k.Flag]; given {
		return Origin{FromFlag, k.Flag}
	}
	if k.Variable != "" && getenv(k.Variable) != "" {
		return Origin{FromEnvironment, k.Variable}
	}
	if origin, ok := f.Origins[k.Name]; ok {
		return origin
	}
	return Origin{Source: FromDefault}
}
