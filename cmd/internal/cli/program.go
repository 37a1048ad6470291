// Package cli is what attune's programs share: how a command line is run, how
// its database and config file are found, and how answers are printed.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema/database"
)

// Globals are the flags of every command.
type Globals struct {
	Database string           `help:"Database: postgres://… or sqlite:PATH (default: this user's embedded file)." env:"ATTUNE_DATABASE_URL" placeholder:"URL"`
	Schema   string           `help:"Schema of a Postgres database (default: the one that holds attune's tables)." env:"ATTUNE_SCHEMA" placeholder:"NAME"`
	Config   string           `help:"Config file (default: ./attune.yaml, except for run; then the user's; then the system's). The policy of that ./attune.yaml is ignored." env:"ATTUNE_CONFIG" type:"path" placeholder:"FILE"`
	Strict   bool             `help:"Treat warnings about the configuration as errors: unknown keys and runtimes, policy that matches nothing." env:"ATTUNE_STRICT"`
	JSON     bool             `name:"json" help:"Print JSON."`
	LogLevel string           `help:"Lowest level of log lines to print: debug, info, warn or error (default: warn; run: info)." enum:"debug,info,warn,error" default:"warn" env:"ATTUNE_LOG_LEVEL" placeholder:"LEVEL"`
	Verbose  bool             `short:"v" help:"Print log lines from info upwards, like --log-level info."`
	NoColor  bool             `help:"Print without colors."`
	Version  kong.VersionFlag `help:"Print the version and exit."`
}

// Level returns the least level of log lines.
func (g *Globals) Level() (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(g.LogLevel)); err != nil {
		return level, Usagef("--log-level: %v", err)
	}
	if g.Verbose {
		level = min(level, slog.LevelInfo)
	}
	return level, nil
}

// An Env is what a command runs in.
type Env struct {
	*Globals
	In  io.Reader
	Out *Terminal
	Err *Terminal
	// File is the config file; never nil.
	File *config.File
	Log  *slog.Logger
	// Flags holds the flags that were given, with their values: "--port".
	Flags map[string]any

	vars variables
}

// Getenv returns a variable of the environment, or an empty text.
func (e *Env) Getenv(name string) string { return e.vars[name] }

// Environ returns the environment in the form of os.Environ.
func (e *Env) Environ() []string { return e.vars.pairs() }

// Refused returns a usage error about the value of a key of the configuration, such as
// worker.port. It names the flag, the variable, or the file and line of the value.
func (e *Env) Refused(key string, err error) error {
	return Usagef("%s: %v", e.Place(key), err)
}

// Place names the flag, the variable, or the file and line that the value of a key comes
// from.
func (e *Env) Place(key string) string {
	return e.File.Origin(key, e.Flags, e.Getenv).Place(key)
}

// A Logger is a command that keeps a log: a service, which does not read the config
// file of the working directory. The log is made before anything is printed, so that
// warnings are lines of the log, and with --json also the error that ends the program.
type Logger interface {
	// Logger sets Log and Err.
	Logger(env *Env) error
}

// Stdio are the streams and the environment of a program.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
	// Environ is the environment, in the form of os.Environ. Defaults to the environment of the process.
	Environ []string
}

// A Program is a command line.
type Program struct {
	Name        string
	Description string
	// Grammar is a pointer to a kong struct that embeds Globals.
	Grammar any
	Globals *Globals
	// Vars are interpolated in the tags of the grammar.
	Vars kong.Vars
	// Bind are further values that the commands' Run methods take.
	Bind []any
	// Names returns names of a kind that begin with a text, such as RUNTIME, to complete command lines. Nil
	// completes none.
	Names func(ctx context.Context, env *Env, kind, begin string) []Candidate
}

// Main runs the program as this process and ends it.
func (p *Program) Main() {
	private()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := p.Run(ctx, os.Args[1:], Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}

// Run parses args, runs the command and returns the exit status.
func (p *Program) Run(ctx context.Context, args []string, io Stdio) int {
	vars := newVariables(io.Environ)
	name, errOut := p.ownName(), NewTerminal(io.Err, false)
	version := name + " " + attune.Version
	if slices.Equal(args, []string{"--version"}) { // the model of the command line would take longer than all else
		NewTerminal(io.Out, false).Printf("%s\n", version)
		return 0
	}
	exit := -1
	parser, err := kong.New(p.Grammar, append(append(values(), vars.options()...),
		kong.Name(Command(p.Name)), kong.Description(p.Description),
		kong.Writers(typeableWriter{io.Out}, typeableWriter{io.Err}),
		kong.Exit(func(code int) { exit = code; panic(flagExit{}) }),
		kong.Vars{"version": version}.CloneWith(p.Vars),
		kong.Help(helpFor(NewTerminal(io.Out, false))),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)...)
	refused := refusals{}
	if err == nil {
		err = refused.record(parser.Model)
	}
	if err != nil {
		errOut.Printf("%s: %v\n", name, err)
		return ExitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	completed := &completing{root: parser.Model.Node}
	args = withCompletion(completed, args)
	parsed, code, done := parse(name, parser, refused, vars, args, &exit, errOut)
	if done {
		return code
	}
	if parsed == nil {
		return ExitUsage
	}
	env, err := newEnv(p.Globals, io, vars)
	env.Flags = givenFlags(parsed)
	logger, logs := parsed.Selected().Target.Addr().Interface().(Logger)
	if err == nil && logs {
		err = logger.Logger(env)
	}
	if err == nil {
		err = emptyDatabase(parsed, p.Globals)
	}
	if err == nil {
		err = env.load(logs)
	}
	if err == nil {
		parsed.BindTo(ctx, (*context.Context)(nil))
		err = parsed.Run(append([]any{env, p, completed}, p.Bind...)...)
		if err == nil && env.Out.Lost != nil {
			err = fmt.Errorf("the answer is not complete: %w", env.Out.Lost)
		}
	}
	if err != nil {
		say := plain(name, errOut)
		if logs && env.JSON {
			say = env.logged
		}
		report(ctx, name, commandOf(parsed), say, err)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return ExitInterrupted
	}
	return status(err)
}

// ownName returns the name in front of messages. It is never a whole call of go run.
func (p *Program) ownName() string {
	if name := Command(p.Name); !strings.Contains(name, " ") {
		return name
	}
	return p.Name
}

// helpFor returns a printer of help that is as wide as a terminal. Kong knows the width of
// files and of COLUMNS only.
func helpFor(out *Terminal) kong.HelpPrinter {
	return func(options kong.HelpOptions, ctx *kong.Context) error {
		if before, set := os.LookupEnv("COLUMNS"); out.Width > 0 && os.Setenv("COLUMNS", strconv.Itoa(out.Width)) == nil {
			defer func() {
				if _ = os.Setenv("COLUMNS", before); !set {
					_ = os.Unsetenv("COLUMNS")
				}
			}()
		}
		return kong.DefaultHelpPrinter(options, ctx)
	}
}

// A flagExit unwinds from a flag, such as --help, that ends the program.
type flagExit struct{}

// parse returns the parsed command line. It returns done and the exit status if a
// flag such as --help has answered, and neither if the command line is wrong and the
// error was printed.
func parse(
	name string, parser *kong.Kong, refused refusals, vars variables, args []string, exit *int, errOut *Terminal,
) (parsed *kong.Context, code int, done bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(flagExit); !ok {
				panic(r)
			}
			parsed, code, done = nil, *exit, true
		}
	}()
	parsed, err := parser.Parse(args)
	if err == nil {
		return parsed, 0, false
	}
	command, text := "", err.Error()
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		command, text = commandOf(wrong.Context), refused.faultOf(err, wrong.Context, vars, args)
	}
	plain(name, errOut)(text, seeHelp(name, command))
	return nil, 0, false
}

// newEnv returns an Env without its File, which load reads. The Env can be used
// despite an error.
func newEnv(g *Globals, io Stdio, vars variables) (*Env, error) {
	env := &Env{
		Globals: g, vars: vars, File: &config.File{}, In: io.In, Out: NewTerminal(io.Out, g.NoColor), Err: NewTerminal(io.Err, g.NoColor),
	}
	level, err := g.Level()
	env.Log = slog.New(slog.NewTextHandler(Escaped(io.Err), &slog.HandlerOptions{Level: level}))
	return env, err
}

// load reads the config file.
func (e *Env) load(service bool) error {
	file, err := e.ReadConfig(service)
	if err != nil {
		return err
	}
	e.File = file
	misspelt := config.Misspelt(e.Environ())
	if e.Strict && len(misspelt) > 0 {
		return errors.New(strings.Join(misspelt, "\n"))
	}
	for _, w := range append(file.Warnings, misspelt...) {
		e.Warn(w)
	}
	if file.Note != "" {
		e.Err.Printf("%s\n", file.Note)
	}
	return nil
}

// ReadConfig reads the config file that was named, or the first that is found. A
// service does not read the config file of the working directory.
func (e *Env) ReadConfig(service bool) (*config.File, error) {
	file, err := config.Load(config.Search{Path: e.Config, Service: service, Strict: e.Strict, Getenv: e.Getenv})
	if e.Config != "" && errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: %w", e.Place("config"), err)
	}
	return file, err
}

// Warn prints a warning: something that did not stop the command.
func (e *Env) Warn(text string) {
	e.Err.printLines(Yellow, "warning:", text)
}

// Note prints what the user should know to read the answer.
func (e *Env) Note(text string) {
	e.Err.printLines(Dim, "note:", text)
}

// seeHelp points to the help of a command, in words that can be pasted.
func seeHelp(program, command string) string {
	return "see " + strings.Join(append([]string{Command(program)}, append(strings.Fields(command), "--help")...), " ")
}

// plain returns a function that prints the error of a program for people.
func plain(name string, out *Terminal) func(text, see string) {
	return func(text, see string) {
		out.printLines(Plain, name+":", text)
		if see != "" {
			out.Printf("%s\n", see)
		}
	}
}

// logged writes the error of a program to the log.
func (e *Env) logged(text, see string) {
	if see == "" {
		e.Log.Error(text)
		return
	}
	e.Log.Error(text, "hint", see)
}

// report prints an error, and for wrong usage the help to see.
func report(ctx context.Context, name, command string, say func(text, see string), err error) {
	var silent *Silent
	if errors.As(err, &silent) {
		return
	}
	if !errors.Is(err, migrations.ErrLocked) && !errors.Is(err, migrations.ErrReadOnly) && !errors.Is(err, migrations.ErrPrivilege) {
		err = database.Explain(err) // errors of migrations already say what to try
	}
	text := advised(err)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	see := ""
	var usage *UsageError
	if errors.As(err, &usage) {
		see = seeHelp(name, command)
	}
	say(text, see)
}
