package answer

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A RuntimesQuery selects definitions, which are sorted by ref.
type RuntimesQuery struct {
	// Pack selects the runtimes of a pack, by its row or by their refs. Empty selects all.
	Pack string
	// After selects the refs after this one.
	After string
	// Limit bounds the number of definitions. Zero means all.
	Limit int
}

// Page returns the definitions that the query selects. The list is never nil.
func (q RuntimesQuery) Page(defs []metadata.Definition) []metadata.Definition {
	page := []metadata.Definition{}
	for _, d := range defs {
		if d.Ref <= q.After || (q.Pack != "" && d.PackRef != q.Pack && metadata.PackOf(d.Ref) != q.Pack) {
			continue
		}
		if q.Limit > 0 && len(page) == q.Limit {
			break
		}
		page = append(page, d)
	}
	return page
}

// A RuntimeRow is a runtime in a list.
type RuntimeRow struct {
	Ref string `json:"ref"`
	// Name is the capability name.
	Name string `json:"name"`
	// Also lists the other aliases.
	Also         []string         `json:"also"`
	Roles        []metadata.Role  `json:"roles"`
	Verification VerificationKind `json:"verification"`
	// Steps lists what a host runs and reads, each once.
	Steps []VerificationStep `json:"steps"`
	// Fault says what is wrong with a malformed definition.
	Fault string `json:"fault,omitempty"`
	// Definition is set where it is asked for.
	Definition *metadata.Definition `json:"definition,omitempty"`
}

// A VerificationKind says how hosts verify a runtime.
type VerificationKind string

// The kinds.
const (
	// VerifiedBySteps means that a host runs commands or reads files.
	VerifiedBySteps VerificationKind = "steps"
	// VerifiedByVersions means that only the definition's versions have steps.
	VerifiedByVersions VerificationKind = "versions"
	// AlwaysAvailable means that every host has it.
	AlwaysAvailable VerificationKind = "always_available"
	// Unverified means that it counts as available without a verification.
	Unverified VerificationKind = "unverified"
	// NotVerifiable means that the definition has no verification.
	NotVerifiable VerificationKind = "none"
	// Malformed means that hosts do not read the definition.
	Malformed VerificationKind = "malformed"
)

// A VerificationStep is a command that a host runs, or a version file that it reads.
type VerificationStep struct {
	Command []string `json:"command,omitempty"`
	File    string   `json:"file,omitempty"`
}

// RuntimeRowOf returns the row of a definition of our own database or of a platform's.
func RuntimeRowOf(d *metadata.Definition, guest bool) RuntimeRow {
	row := RuntimeRow{
		Ref: d.Ref, Name: d.CapabilityName(), Also: []string{}, Roles: rolesOf(d), Verification: VerifiedBySteps, Steps: []VerificationStep{},
	}
	if d.Aliases.Fault() == nil && len(d.Aliases) > 1 {
		row.Also = d.Aliases[1:]
	}
	if fault := faultOf(d, guest); fault != nil {
		row.Verification, row.Fault = Malformed, fault.Error()
		return row
	}
	v := d.Distributions.Verification
	switch {
	case v == nil:
	case v.AlwaysAvailable:
		row.Verification = AlwaysAvailable
		return row
	case !v.CheckRequiredOrDefault():
		row.Verification = Unverified
		return row
	}
	row.addSteps(v)
	for i := range d.Versions {
		row.addSteps(d.Versions[i].Distributions.Verification)
	}
	switch {
	case len(row.Steps) == 0:
		row.Verification = NotVerifiable
	case v == nil:
		row.Verification = VerifiedByVersions
	}
	return row
}

// faultOf returns what is wrong with a definition. In a guest any ref is right, because a platform's
// refs need no pack.
func faultOf(d *metadata.Definition, guest bool) error {
	err := d.Validate()
	var faults document.Faults
	if !guest || !errors.As(err, &faults) {
		return err
	}
	return slices.DeleteFunc(slices.Clone(faults), func(f document.Fault) bool { return f.Pointer == "/ref" }).OrNil()
}

func (r *RuntimeRow) addSteps(v *metadata.Verification) {
	if v == nil {
		return
	}
	for _, c := range v.Ordered() {
		r.addStep(VerificationStep{Command: append([]string{c.Binary}, c.Args...)})
	}
	if v.VersionFile != nil {
		r.addStep(VerificationStep{File: v.VersionFile.Path})
	}
}

func (r *RuntimeRow) addStep(step VerificationStep) {
	if !slices.ContainsFunc(r.Steps, func(s VerificationStep) bool { return s.File == step.File && slices.Equal(s.Command, step.Command) }) {
		r.Steps = append(r.Steps, step)
	}
}

// rolesOf returns the roles of a definition.
func rolesOf(d *metadata.Definition) []metadata.Role {
	roles := []metadata.Role{}
	for _, r := range []metadata.Role{metadata.Worker, metadata.Sensor} {
		if d.HasRole(r) {
			roles = append(roles, r)
		}
	}
	return roles
}

// HoldersOf returns at most limit of the workers that have the runtime of a ref by their last
// report, in natural order of their names, and the number of all.
func HoldersOf(ctx context.Context, st *store.Store, ref string, limit int) (holders []Subject, all int, err error) {
	having := store.Selection{Has: []store.RuntimeFilter{{Ref: ref}}}
	holders = []Subject{}
	more, err := ListWorkers(ctx, st, ListQuery{Selection: having, Limit: limit}, func(workers []WorkerItem) error {
		for i := range workers {
			w := &workers[i]
			holders = append(holders, Subject{ID: w.ID, Name: w.Name, Role: w.Role, Status: w.Status, Stale: w.Stale})
		}
		return nil
	})
	if err != nil || more == "" {
		return holders, len(holders), err
	}
	all, err = countHolders(ctx, st, ref)
	return holders, all, err
}

// byName compares workers as people look for them.
func byName(a, b store.Standing) int {
	return cmp.Or(Natural(a.Name, b.Name), cmp.Compare(RoleName(b.WorkerRole), RoleName(a.WorkerRole)), cmp.Compare(a.ID, b.ID))
}

func subjectOf(w *store.Standing) Subject {
	s := Subject{ID: w.ID, Name: w.Name, Role: RoleName(w.WorkerRole), Stale: w.Stale}
	if w.Status != nil {
		s.Status = string(*w.Status)
	}
	return s
}
