package cli

import (
	"context"
	_ "embed"
	"strings"
	"time"
)

// A CompletionCmd prints what a shell needs to complete the command lines of a program.
type CompletionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Shell to complete in: bash, zsh or fish."`
}

// Help returns the longer text of --help.
func (*CompletionCmd) Help() string {
	return "Names of runtimes and workers, and labels, come from the database or server that the command line names. " +
		"If they take longer than $ATTUNE_COMPLETION_TIMEOUT (default: 200ms), nothing is offered. " +
		"For this session: source <(attune completion bash), or with zsh after compinit; in fish: attune completion fish | source."
}

// The scripts ask the hidden command for what can stand at the end of a command line.
var (
	//go:embed completion/bash
	bashScript string
	//go:embed completion/zsh
	zshScript string
	//go:embed completion/fish
	fishScript string
)

// Run prints the script.
func (c *CompletionCmd) Run(env *Env, p *Program) error {
	script := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[c.Shell]
	env.Out.Printf("%s", strings.ReplaceAll(script, "PROGRAM", p.ownName()))
	return nil
}

// completeName is the hidden command that the scripts call, with the words of a command line.
const completeName = "__complete"

// A completeCmd prints what can stand at the end of a command line.
type completeCmd struct {
	Timeout time.Duration `env:"ATTUNE_COMPLETION_TIMEOUT" default:"200ms"`
	Words   []string      `arg:"" optional:""`
}

// A Candidate is a word that can stand at the end of a command line.
type Candidate struct {
	Word string
	// Help is a short description.
	Help string
}

// filesCandidate makes the shells complete names of files.
const filesCandidate = ":files"

// A Hidden is the part of a grammar that --help does not list.
type Hidden struct {
	Complete completeCmd `cmd:"" name:"__complete" hidden:""`
}

// withCompletion moves the global flags of the words to complete in front of them, so that they say where names come
// from.
func withCompletion(at *completing, args []string) []string {
	if len(args) < 2 || args[0] != completeName {
		return args
	}
	words := args[1:]
	if words[0] == "--" {
		words = words[1:]
	}
	at.read(words)
	return append(append([]string{completeName}, at.global...), append([]string{"--"}, words...)...)
}

// Run prints the candidates, one on a line, each with a tab and its description.
func (c *completeCmd) Run(ctx context.Context, env *Env, p *Program, at *completing) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	found := make(chan []Candidate, 1)
	go func() {
		found <- at.candidates(func(kind, begin string) []Candidate { return p.names(ctx, env, kind, begin) })
	}()
	select {
	case candidates := <-found:
		for _, one := range candidates {
			help, _, _ := strings.Cut(one.Help, ". ")
			env.Out.Printf("%s\t%s\n", one.Word, strings.TrimSuffix(help, "."))
		}
	case <-ctx.Done(): // SQLite may wait for a lock longer than ctx
	}
	return nil
}

// names returns names that begin with a text.
func (p *Program) names(ctx context.Context, env *Env, kind, begin string) []Candidate {
	if p.Names == nil {
		return nil
	}
	return p.Names(ctx, env, kind, begin)
}
