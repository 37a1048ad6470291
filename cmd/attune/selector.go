package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A selector selects workers by terms, or by flags, which are the same terms in
// another spelling.
type selector struct {
	Name        []string `sep:"none" help:"Workers with this name; * is any text and ? one character." placeholder:"NAME"`
	Role        []string `sep:"none" help:"Workers with this role: worker or sensor." placeholder:"ROLE"`
	Status      []string `sep:"none" help:"Workers with this status: active, inactive, busy, error or stale." placeholder:"STATUS"`
	Stale       bool     `help:"Workers that missed three heartbeats and did not sign off."`
	Silent      string   `help:"Workers whose last heartbeat is older than this: 2h, 30d." placeholder:"TIME"`
	Label       []string `sep:"none" help:"Workers with this label; without =VALUE, with any value." placeholder:"KEY[=VALUE]"`
	Has         []string `sep:"none" aliases:"runtime" help:"Workers that have this runtime: python, 'python@>=3.12'." placeholder:"RUNTIME[@CONSTRAINT]"`
	Lacks       []string `sep:"none" help:"Workers that --has would not list, including those where it is unknown." placeholder:"RUNTIME[@CONSTRAINT]"`
	Prereleases bool     `help:"Let pre-releases satisfy constraints."`
	Terms       []string `arg:"" optional:"" name:"selector" help:"Selector of workers, as above."`
}

// selectorHelp documents the syntax that all commands on several workers share.
const selectorHelp = "A selector is a list of terms that must all match: NAME (* is any text, ? one character), id:N, host:HOST, " +
	"role:worker, status:active, status:stale, silent:30d, label:KEY=VALUE, label:KEY, has:RUNTIME@CONSTRAINT, lacks:RUNTIME@CONSTRAINT. " +
	"Several names, ids or hosts match any of them; so do several roles, and several statuses. " +
	"Each term is also a flag: 'has:python@>=3.12' is --has 'python@>=3.12'. " +
	"A runtime is a ref, alias or name, in any case; `attune versions match --help` describes constraints. " +
	"A worker is stale when it has missed three heartbeats, by its own interval and the database's clock, and did not sign off. " +
	"A selector may match no worker. Commands that change something refuse a name, id or host that no worker has. " +
	"Example: 'web-*' role:worker label:zone=a 'lacks:python@>=3.12,<4'."

// terms returns the terms and the flags, as terms.
func (s *selector) terms() []string {
	terms := slices.Clone(s.Terms)
	for _, flag := range []struct {
		key    string
		values []string
	}{{"name", s.Name}, {"role", s.Role}, {"status", s.Status}, {"label", s.Label}, {"has", s.Has}, {"lacks", s.Lacks}} {
		for _, v := range flag.values {
			terms = append(terms, flag.key+":"+v)
		}
	}
	if s.Stale {
		terms = append(terms, "status:stale")
	}
	if s.Silent != "" {
		terms = append(terms, "silent:"+s.Silent)
	}
	return terms
}

// A selection is a parsed selector.
type selection struct {
	answer.Selector
}

// A requirement is a runtime that somebody asks for, as RUNTIME[@CONSTRAINT].
type requirement = answer.RuntimeTerm

// parse reads the terms.
func (s *selector) parse() (*selection, error) {
	parsed, err := answer.ParseSelector(s.terms(), s.Prereleases)
	if err != nil {
		return nil, usage(err)
	}
	return &selection{*parsed}, nil
}

// requirements returns the runtimes that the selection names, each once.
func (w *selection) requirements() []requirement { return w.Runtimes() }

// selection resolves the runtimes by the definitions.
func (w *selection) selection(ctx context.Context, src source) (store.Selection, error) {
	if len(w.Has)+len(w.Lacks) == 0 {
		return w.Selection, nil
	}
	if err := src.pending(); err != nil {
		return w.Selection, fmt.Errorf("has and lacks need what hosts reported: database %s: %w", src.name(), err)
	}
	_, found, err := indexOf(ctx, src)
	if err != nil {
		return w.Selection, fmt.Errorf("find runtimes in %s: %w", src.name(), err)
	}
	s := w.Selection
	for _, list := range []struct {
		terms []requirement
		to    *[]store.RuntimeFilter
	}{{w.Has, &s.Has}, {w.Lacks, &s.Lacks}} {
		for i := range list.terms {
			if err := src.mean(ctx, &list.terms[i], &found); err != nil {
				return s, unknownRuntime(src, err)
			}
			*list.to = append(*list.to, list.terms[i].RuntimeFilter)
		}
	}
	return s, nil
}

// resolve finds the runtime that is meant, and returns the definitions.
func resolve(ctx context.Context, src source, r *requirement) (cli.Definitions, error) {
	_, found, err := indexOf(ctx, src)
	if err == nil {
		err = src.mean(ctx, r, &found)
	}
	return found, unknownRuntime(src, err)
}

// usage returns the error for a text that cannot be read, with what to type instead.
func usage(err error) error {
	var term *answer.RuntimeTermError
	if errors.As(err, &term) && errors.Is(err, answer.ErrNoVersions) {
		return cli.Usagef("%v; a shell redirects at > and < outside of quotes: write '%s@>=3.12'", err, term.Runtime)
	}
	return cli.Usagef("%v", err)
}

// unknownRuntime adds what to type to an error about a name that no runtime has.
func unknownRuntime(src source, err error) error {
	var unknown *answer.UnknownRuntimeError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &unknown):
		return fmt.Errorf("find a runtime in %s: %w", src.name(), err)
	case unknown.Term != "":
		return cli.Usagef("%v; an @ stands between a runtime and its versions: '%s'", unknown, unknown.Term)
	case unknown.Near != "":
		return fmt.Errorf("%w in %s; did you mean %s?", unknown, src.name(), unknown.Near)
	}
	return fmt.Errorf("%w in %s; `attune runtimes list` shows all", unknown, src.name())
}

// unknownWorker adds what to type to an error about a worker that does not exist.
func unknownWorker(src source, unknown *answer.UnknownWorkerError) error {
	switch {
	case unknown.Key != "name":
		return fmt.Errorf("no worker in %s has this %s; `attune workers list` shows all", src.name(), unknown.Key)
	case unknown.Runtime != "":
		return fmt.Errorf("%w in %s; `attune workers list --has '%s'` lists the workers that have it", unknown, src.name(), unknown.Runtime)
	case unknown.Near != "":
		return fmt.Errorf("%w in %s; did you mean %s?", unknown, src.name(), unknown.Near)
	}
	return fmt.Errorf("%w in %s; `attune workers list` shows all", unknown, src.name())
}

// unknownNames returns a sentence with the names that no worker has, or an empty text.
func unknownNames(ctx context.Context, src source, names []string) (string, error) {
	unknown, err := answer.UnknownNames(ctx, src, names)
	return inOneSentence(unknown), err
}

// inOneSentence names the workers that do not exist, with what to type instead.
func inOneSentence(unknown []*answer.UnknownWorkerError) string {
	var parts []string
	for _, e := range unknown {
		part := fmt.Sprintf("no worker %q", e.Value)
		switch {
		case e.Key != "name":
			part = fmt.Sprintf("no worker has the %s %s", e.Key, e.Value)
		case e.Runtime != "":
			part += fmt.Sprintf("; for workers that have this runtime, use --has '%s'", e.Runtime)
		case e.Near != "":
			part += ", did you mean " + e.Near + "?"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// rolesOf returns the role of a flag as a list, which is empty without the flag.
func rolesOf(flag string) ([]metadata.Role, error) {
	if flag == "" {
		return nil, nil
	}
	role, err := answer.ParseRole(flag)
	if err != nil {
		return nil, usage(err)
	}
	return []metadata.Role{role}, nil
}

// findWorkers finds the workers that an argument names: by name, id or host.
func findWorkers(ctx context.Context, src source, name, role string) ([]store.WorkerSnapshot, error) {
	roles, err := rolesOf(role)
	if err != nil {
		return nil, err
	}
	workers, err := answer.LookUpWorkers(ctx, src, name, roles...)
	return workers, lookUpError(src, err, fmt.Sprintf("find worker %q in %s", name, src.name()))
}

// lookUpError adds what to type to an error of answer.LookUpWorkers, or what was being done.
func lookUpError(src source, err error, doing string) error {
	var unknown *answer.UnknownWorkerError
	var term *answer.TermError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		return unknownWorker(src, unknown)
	case errors.As(err, &term):
		return usage(err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
