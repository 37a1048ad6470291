package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
)

// A SubjectKind says which table a subject is in.
type SubjectKind string

// The kinds of subjects.
const (
	ActionSubject SubjectKind = "action"
	SensorSubject SubjectKind = "sensor"
)

// Other returns the other kind.
func (k SubjectKind) Other() SubjectKind {
	if k == SensorSubject {
		return ActionSubject
	}
	return SensorSubject
}

// role returns the role of the workers that run subjects of a kind.
func (k SubjectKind) role() requirement.Role {
	if k == SensorSubject {
		return requirement.Sensor
	}
	return requirement.Worker
}

// A Subject is an action or a sensor with the columns that make its requirement.
type Subject struct {
	Kind SubjectKind
	ID   int64
	Ref  string
	// PackRef is empty for a sensor without a pack.
	PackRef string
	// HasRuntime reports that the row names a runtime. Columns.Runtime is empty nevertheless if
	// the runtime was deleted.
	HasRuntime bool
	// Columns has documents of at most requirement.MaxSize characters. Longer ones are cut to
	// one character more, and so refused.
	Columns requirement.Columns
}

// A SubjectQuery selects actions and sensors. The zero value selects all.
type SubjectQuery struct {
	// Kind, Ref and Pack must be those of the subject. Empty selects all. Pack is a ref.
	Kind      SubjectKind
	Ref, Pack string
}

// Subjects reads what actions and sensors need of workers. A platform's columns count if it has
// them.
type Subjects struct{ dialect }

// List returns actions and sensors, by ref and kind.
func (s *Subjects) List(ctx context.Context, q SubjectQuery) ([]Subject, error) {
	all := []Subject{}
	if !storable(q.Ref, q.Pack) {
		return all, nil
	}
	for _, kind := range []SubjectKind{ActionSubject, SensorSubject} {
		if q.Kind != "" && q.Kind != kind {
			continue
		}
		found, err := s.list(ctx, kind, q)
		if err != nil {
			return nil, fmt.Errorf("read the requirements of %ss: %w", kind, err)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b Subject) int { return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Kind, b.Kind)) })
	return all, nil
}

func (s *Subjects) list(ctx context.Context, kind SubjectKind, q SubjectQuery) ([]Subject, error) {
	where := bun.SafeQuery("1 = 1")
	if q.Ref != "" {
		where = bun.SafeQuery("? AND ? = ?", where, s.text("subject.ref"), q.Ref)
	}
	if q.Pack != "" {
		where = bun.SafeQuery("? AND ? = ?", where, s.text("subject.pack_ref"), q.Pack)
	}
	var rows []struct {
		ID                                                                  int64
		Ref, PackRef, Runtime, Versions                                     string
		HasRuntime                                                          bool
		RequiredRuntimes, WorkerSelector, WorkerTolerations, WorkerAffinity []byte
	}
	err := s.db.NewRaw(`SELECT subject.id, subject.ref, coalesce(subject.pack_ref, '') AS pack_ref, subject.runtime IS NOT NULL AS has_runtime,
		coalesce(runtime.ref, '') AS runtime, coalesce(subject.runtime_version_constraint, '') AS versions,
		? AS required_runtimes, ? AS worker_selector, ? AS worker_tolerations, ? AS worker_affinity
		FROM ? AS subject LEFT JOIN ? AS runtime ON runtime.id = subject.runtime WHERE ?`,
		s.cut("subject.required_worker_runtimes"), s.cut("subject.worker_selector"), s.cut("subject.worker_tolerations"),
		s.cut("subject.worker_affinity"), bun.Safe(s.layout.Requirements(string(kind))), s.of("runtime"), where).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	found := make([]Subject, len(rows))
	for i, r := range rows {
		found[i] = Subject{
			Kind: kind, ID: r.ID, Ref: r.Ref, PackRef: r.PackRef, HasRuntime: r.HasRuntime,
			Columns: requirement.Columns{
				Role: kind.role(), Runtime: r.Runtime, Constraint: r.Versions, Runtimes: r.RequiredRuntimes,
				Selector: r.WorkerSelector, Tolerations: r.WorkerTolerations, Affinity: r.WorkerAffinity,
			},
		}
	}
	return found, nil
}

// cut returns the expression that reads a document, but for what follows the limit of a requirement.
func (s *Subjects) cut(column string) any {
	return bun.SafeQuery("?(?, 1, ?)", bun.Safe(s.pick("pg_catalog.substr", "substr")), s.text(column), requirement.MaxSize+1)
}
