package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// selector selects workers by terms, or by flags, which are the same terms in
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
	"A selector that no worker fits is not an error, but a name, id or host that no worker has is one for refresh and delete. " +
	"Example: 'web-*' role:worker label:zone=a 'lacks:python@>=3.12,<4'."

// kinds are the terms, in the order in which they are listed.
var kinds = []string{"name", "id", "host", "role", "status", "silent", "label", "has", "lacks"}

// terms returns the terms and the flags, as terms.
func (s *selector) terms() []string {
	terms := slices.Clone(s.Terms)
	for _, flag := range []struct {
		kind   string
		values []string
	}{{"name", s.Name}, {"role", s.Role}, {"status", s.Status}, {"label", s.Label}, {"has", s.Has}, {"lacks", s.Lacks}} {
		for _, v := range flag.values {
			terms = append(terms, flag.kind+":"+v)
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

// A selection is a store.Selection whose runtimes are still names.
type selection struct {
	store.Selection
	has, lacks []requirement
}

// requirement is a runtime that somebody asks for, as RUNTIME[@CONSTRAINT].
type requirement struct {
	store.Requirement
	// name is the runtime as it was written. def is its definition, nil where the
	// database has none.
	name string
	def  *metadata.Definition
	// created is the time of the definition's row; zero where it has none.
	created time.Time
	// note says what the embedded core pack adds to the definition in a guest.
	note string
}

// String returns the requirement as NAME or NAME@CONSTRAINT.
func (r *requirement) String() string {
	name := r.Name
	if name == "" {
		name = r.name
	}
	if r.Constraint == nil {
		return name
	}
	return name + "@" + r.Constraint.String()
}

// parseRequirement reads RUNTIME[@CONSTRAINT].
func parseRequirement(text string, prereleases bool) (requirement, error) {
	name, constraint, constrained := strings.Cut(text, "@")
	r := requirement{name: strings.TrimSpace(name), Requirement: store.Requirement{Prereleases: prereleases}}
	if r.name == "" {
		return r, cli.Usagef("must name a runtime, such as python or python@>=3.12, got %q", text)
	}
	if !constrained {
		return r, nil
	}
	if strings.TrimSpace(constraint) == "" {
		return r, cli.Usagef("%q: no versions after the @; a shell redirects at > and < outside of quotes: write '%s@>=3.12'", text, r.name)
	}
	c, err := version.ParseConstraint(constraint)
	if err != nil {
		return r, cli.Usagef("%q: %v", text, err)
	}
	r.Constraint = &c
	return r, nil
}

// parse reads the terms.
func (s *selector) parse() (*selection, error) {
	w := new(selection)
	for _, term := range s.terms() {
		kind, value, ok := strings.Cut(term, ":")
		if !ok || !slices.Contains(kinds, kind) {
			near := metadata.Nearest(kind, kinds)
			if ok && near != "" {
				return nil, cli.Usagef("selector %q: there is no %s:; did you mean %s:? (name:%s is a worker of that name)",
					term, kind, near, term)
			}
			kind, value = "name", term
		}
		if strings.TrimSpace(value) == "" {
			return nil, cli.Usagef("selector %q: there is nothing after %s:", term, kind)
		}
		if err := w.term(kind, value, s.Prereleases); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// term adds one term.
func (w *selection) term(kind, value string, prereleases bool) error {
	switch kind {
	case "name":
		w.Names = append(w.Names, value)
	case "host":
		w.Hosts = append(w.Hosts, value)
	case "id":
		id, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return cli.Usagef("id: must be a number, got %q", value)
		}
		w.IDs = append(w.IDs, id)
	case "role":
		role, err := parseRole(value)
		if err != nil {
			return err
		}
		w.Roles = append(w.Roles, role)
	case "status":
		return w.status(value)
	case "silent":
		span, err := config.ParseSpan(value)
		if err == nil && span <= 0 {
			err = fmt.Errorf("must be greater than 0, got %q", value)
		}
		if err != nil {
			return cli.Usagef("silent: %v", err)
		}
		w.Silent = max(w.Silent, span)
	case "label":
		label := store.Label{Key: value}
		if key, text, ok := strings.Cut(value, "="); ok {
			label = store.Label{Key: key, Value: &text}
		}
		w.Labels = append(w.Labels, label)
	default:
		r, err := parseRequirement(value, prereleases)
		if err != nil {
			return err
		}
		if kind == "has" {
			w.has = append(w.has, r)
		} else {
			w.lacks = append(w.lacks, r)
		}
	}
	return nil
}

// parseRole reads a role.
func parseRole(value string) (metadata.Role, error) {
	switch role := metadata.Role(value); role {
	case metadata.Worker, metadata.Sensor:
		return role, nil
	}
	return "", cli.Usagef("role: must be worker or sensor, got %q", value)
}

func (w *selection) status(value string) error {
	switch s := schema.WorkerStatus(value); s {
	case schema.WorkerActive, schema.WorkerInactive, schema.WorkerBusy, schema.WorkerError:
		w.Statuses = append(w.Statuses, s)
		return nil
	}
	if value == "stale" {
		w.Stale = true
		return nil
	}
	return cli.Usagef("status: must be active, inactive, busy, error or stale, got %q", value)
}

// requirements returns the runtimes that the selection names, each once.
func (w *selection) requirements() []requirement {
	var all []requirement
	for _, r := range slices.Concat(w.has, w.lacks) {
		if !slices.ContainsFunc(all, func(a requirement) bool { return a.Ref == r.Ref && a.Name == r.Name }) {
			all = append(all, r)
		}
	}
	return all
}

// selection resolves the runtimes by the database's definitions.
func (w *selection) selection(ctx context.Context, db *cli.Database) (store.Selection, error) {
	s := w.Selection
	if len(w.has)+len(w.lacks) == 0 {
		return s, nil
	}
	if db.Pending != nil {
		return s, fmt.Errorf("has and lacks need what hosts reported: database %s: %w", db.Name, db.Pending)
	}
	for _, list := range []struct {
		from []requirement
		to   *[]store.Requirement
	}{{w.has, &s.Has}, {w.lacks, &s.Lacks}} {
		for i := range list.from {
			if err := list.from[i].resolve(ctx, db); err != nil {
				return s, err
			}
			*list.to = append(*list.to, list.from[i].Requirement)
		}
	}
	return s, nil
}

// resolve finds the runtime that is meant: by the definitions, else by what
// workers declared or had when there still was a definition.
func (r *requirement) resolve(ctx context.Context, db *cli.Database) error {
	index, found, err := db.Index(ctx)
	if err != nil {
		return fmt.Errorf("find runtime %q in %s: %w", r.name, db.Name, err)
	}
	if def, ok := index.Resolve(r.name); ok {
		r.Ref, r.Name, r.def, r.note = def.Ref, def.CapabilityName(), def, found.Notes[def.Ref]
		if r.created, err = db.Store.Runtimes.Created(ctx, r.Ref); err != nil {
			return fmt.Errorf("find runtime %q in %s: %w", r.name, db.Name, err)
		}
		return nil
	}
	undefined, err := db.Store.WorkerRuntimes.Undefined(ctx, r.name)
	switch {
	case err == nil:
		r.Ref, r.Name = undefined.Ref, undefined.Name
		return nil
	case !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("find runtime %q in %s: %w", r.name, db.Name, err)
	}
	if written, ok := withoutAt(r.name); ok {
		return cli.Usagef("no runtime %q; an @ stands between a runtime and its versions: '%s'", r.name, written)
	}
	return unknownRuntime(ctx, db, r.name)
}

// unseparated matches a name and a constraint without the @ between them.
var unseparated = regexp.MustCompile(`^([^\s<>=!~^]+?)\s*([<>=!~^:].*|\s[0-9].*)$`)

// withoutAt reports whether a name is a runtime and a constraint without the @
// between them, and how that is written.
func withoutAt(name string) (written string, ok bool) {
	m := unseparated.FindStringSubmatch(name)
	if m == nil {
		return "", false
	}
	constraint := strings.TrimSpace(strings.TrimLeft(m[2], ":"))
	if single := strings.TrimPrefix(constraint, "="); strings.HasPrefix(single, "=") {
		constraint = strings.TrimSpace(single[1:]) // python==3.12
	}
	c, err := version.ParseConstraint(constraint)
	if err != nil {
		return m[1] + "@>=3.12", true
	}
	return m[1] + "@" + c.String(), true
}

// unknownWorker returns the error for a name that no worker has.
func unknownWorker(ctx context.Context, db *cli.Database, name string) error {
	names, err := db.Store.Workers.Names(ctx)
	if err != nil {
		return err
	}
	if runtime, ok := asRequirement(name); ok {
		return fmt.Errorf("no worker %q in %s; `attune workers list --has '%s'` lists the workers that have it", name, db.Name, runtime)
	}
	if near := metadata.Nearest(name, names); near != "" {
		return fmt.Errorf("no worker %q in %s; did you mean %s?", name, db.Name, near)
	}
	return fmt.Errorf("no worker %q in %s; `attune workers list` shows all", name, db.Name)
}

// asRequirement reports whether a worker's name is a runtime with a constraint, and how
// --has takes it.
func asRequirement(name string) (text string, ok bool) {
	if runtime, constraint, ok := strings.Cut(name, "@"); ok {
		_, err := version.ParseConstraint(constraint)
		return name, err == nil && runtime != ""
	}
	if strings.ContainsAny(name, "<>=~^") {
		return withoutAt(name)
	}
	return "", false
}

// unknownNames returns a sentence with the names that no worker has, or an empty
// text. Patterns are left out, unless they are a runtime with a constraint.
func unknownNames(ctx context.Context, db *cli.Database, names []string) (string, error) {
	known, err := db.Store.Workers.Names(ctx)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, name := range names {
		runtime, mistaken := asRequirement(name)
		if strings.ContainsAny(name, "*?") && !mistaken || slices.ContainsFunc(known, func(k string) bool { return isNamed(name, k) }) {
			continue
		}
		part := fmt.Sprintf("there is no worker %q", name)
		if mistaken {
			part += fmt.Sprintf("; for workers that have this runtime, use --has '%s'", runtime)
		} else if near := metadata.Nearest(name, known); near != "" {
			part += ", did you mean " + near + "?"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; "), nil
}

// isNamed reports whether a worker's name is the given one or fits its pattern.
func isNamed(pattern, name string) bool {
	fits, _ := path.Match(pattern, name) // an invalid pattern matches nothing
	return fits || pattern == name
}

// findWorkers finds the workers with a name, which may differ in role; else the
// worker with an id; else the workers on a host. The terms name:, id: and host: ask for
// one of these only.
func findWorkers(ctx context.Context, db *cli.Database, name, role string) ([]store.Selected, error) {
	var roles []metadata.Role
	if role != "" {
		r, err := parseRole(role)
		if err != nil {
			return nil, err
		}
		roles = append(roles, r)
	}
	tries := []store.Selection{{Names: []string{name}}, {Hosts: []string{name}}}
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		tries = slices.Insert(tries, 1, store.Selection{IDs: []int64{id}})
	}
	if kind, value, ok := strings.Cut(name, ":"); ok && slices.Contains([]string{"name", "id", "host"}, kind) {
		w := new(selection)
		if err := w.term(kind, value, false); err != nil {
			return nil, err
		}
		tries = []store.Selection{w.Selection}
	}
	for _, s := range tries {
		s.Roles = roles
		found, err := answer.FindWorkers(ctx, db.Store, answer.WorkersQuery{Selection: s})
		if err != nil {
			return nil, fmt.Errorf("find worker %q in %s: %w", name, db.Name, err)
		}
		if len(found.Items) > 0 {
			return found.Items, nil
		}
	}
	return nil, unknownWorker(ctx, db, name)
}
