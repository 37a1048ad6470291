package config

// Origin is where a value comes from.
type Origin struct {
	Source Source
	// Where names it: a flag, a variable, or file and line. Empty for a default.
	Where string
}

// Source is the kind of an origin.
type Source string

// The sources, the strongest first.
const (
	FromFlag        Source = "flag"
	FromEnvironment Source = "environment"
	FromFile        Source = "file"
	FromDefault     Source = "default"
)
