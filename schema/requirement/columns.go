package requirement

import (
	"bytes"
	"fmt"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/metadata"
)

// Columns holds the columns of an action or a sensor that make its requirement. A document that
// is empty, null or, in place of an object, an empty list asks for nothing.
type Columns struct {
	// Role is Worker for an action and Sensor for a sensor.
	Role Role
	// Runtime is the ref of the runtime that runs the entrypoint. Empty means none.
	Runtime string
	// Constraint is runtime_version_constraint. Empty accepts every version.
	Constraint string
	// Runtimes is required_worker_runtimes: further runtimes, as an object of name to constraint.
	Runtimes []byte
	// Selector, Tolerations and Affinity are worker_selector, worker_tolerations and
	// worker_affinity.
	Selector, Tolerations, Affinity []byte
}

// The names of the columns, as pointers.
const (
	runtimeColumn     = "/runtime"
	constraintColumn  = "/runtime_version_constraint"
	runtimesColumn    = "/required_worker_runtimes"
	selectorColumn    = "/worker_selector"
	tolerationsColumn = "/worker_tolerations"
	affinityColumn    = "/worker_affinity"
)

// Requirement returns the requirement with resolved runtimes. Runtime is its first one. A runtime
// that the columns name twice must satisfy both constraints. The error is document.Faults, whose
// pointers begin with the name of a column.
func (c Columns) Requirement(index *metadata.Index) (Requirement, error) {
	r, runtimes, faults := c.read()
	for i, runtime := range runtimes {
		at := runtimeColumn
		if i > 0 || c.Runtime == "" {
			at = pointer(runtimesColumn, runtime.Name)
		}
		faults.add(document.Under(at, r.join(index, runtime)))
	}
	return r, faults.faults.OrNil()
}

// Validate returns every fault of the columns as document.Faults, or nil. It resolves no name, so a
// runtime need not be defined yet.
func (c Columns) Validate() error {
	_, _, faults := c.read()
	return faults.faults.OrNil()
}

// read reads the columns. The runtimes are not resolved, and not in the requirement.
func (c Columns) read() (r Requirement, runtimes []Runtime, d *reader) {
	d = new(reader)
	r.Role = c.Role
	if c.Runtime != "" {
		constraint, err := ParseConstraint(c.Constraint)
		d.add(document.Under(constraintColumn, err))
		runtimes = append(runtimes, Runtime{Name: c.Runtime, Constraint: constraint})
	}
	required := columnOf(d, c.Runtimes, runtimesColumn, (*reader).runtimes)
	r.Selector = columnOf(d, c.Selector, selectorColumn, (*reader).labels)
	r.Tolerations = columnOf(d, c.Tolerations, tolerationsColumn, (*reader).tolerations)
	r.Affinity = columnOf(d, c.Affinity, affinityColumn, (*reader).affinity)

	var check checker
	check.within(runtimesColumn[1:], func() { check.runtimes(required) })
	check.within(selectorColumn[1:], func() { check.labels(r.Selector) })
	check.within(affinityColumn[1:], func() { check.affinity(&r.Affinity) })
	each(&check, tolerationsColumn[1:], r.Tolerations, check.toleration)
	d.add(document.Under("", check.Err()))
	return r, append(runtimes, required...), d
}

// columnOf reads the document of a column.
func columnOf[T any](d *reader, data []byte, at string, read func(d *reader, at string) T) (v T) {
	if text := bytes.TrimSpace(data); len(text) == 0 || string(text) == "[]" {
		return v
	}
	if len(data) > MaxSize {
		d.fault(at, fmt.Sprintf("must have at most %d bytes, got %d", MaxSize, len(data)))
		return v
	}
	var one reader
	if one.Open(data) {
		v = read(&one, at)
	}
	one.add(document.Under(at, one.Close()))
	one.unknownKeys()
	d.add(one.faults)
	return v
}

// join adds a runtime under its ref.
func (r *Requirement) join(index *metadata.Index, runtime Runtime) error {
	ref, err := resolve(index, runtime.Name)
	if err != nil {
		return err
	}
	runtime.Name = ref
	for i := range r.Runtimes {
		other := &r.Runtimes[i]
		switch {
		case other.Name != ref || runtime.Constraint == nil:
		case other.Constraint == nil:
			other.Constraint = runtime.Constraint
		default:
			both, err := other.Constraint.And(*runtime.Constraint)
			if err != nil {
				return err
			}
			other.Constraint = &both
		}
		if other.Name == ref {
			return nil
		}
	}
	r.Runtimes = append(r.Runtimes, runtime)
	return nil
}
