package answer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// An OperationKind is a kind of Operation.
type OperationKind string

// The kinds of operations.
const (
	// OperationCordon keeps new work off workers, and OperationUncordon lifts that.
	OperationCordon   OperationKind = "cordon"
	OperationUncordon OperationKind = "uncordon"
	// OperationTaint puts a taint on workers, and OperationUntaint removes it.
	OperationTaint   OperationKind = "taint"
	OperationUntaint OperationKind = "untaint"
)

// An Operation is what an operator does to workers.
type Operation struct {
	Kind OperationKind `json:"operation"`
	// Reason is the reason for a cordon. Empty keeps the reason of a worker that is cordoned.
	Reason string `json:"reason,omitempty"`
	// Taint is the taint that is put or removed. Its value does not count when it is removed, and
	// an empty effect then removes both effects.
	Taint *Taint `json:"taint,omitempty"`
}

// An OperationRequest is an operation with the IDs of workers, as an API receives it.
type OperationRequest struct {
	Operation
	IDs []int64 `json:"ids,omitempty"`
}

// ParseTaintOperation reads the taint of an operation: KEY[=VALUE][:EFFECT], where the effect defaults
// to no_schedule.
func ParseTaintOperation(text string) (Operation, error) {
	taint, err := requirement.ParseTaint(text)
	op := Operation{Kind: OperationTaint, Taint: &Taint{Key: taint.Key, Effect: string(taint.Effect)}}
	if taint.Value != "" {
		op.Taint.Value = &taint.Value
	}
	return op, err
}

// ParseUntaintOperation reads the taint that an operation removes: KEY[:EFFECT], where both effects are
// removed by default.
func ParseUntaintOperation(text string) (Operation, error) {
	op, err := ParseTaintOperation(text)
	op.Kind = OperationUntaint
	switch {
	case err != nil:
		return op, err
	case op.Taint.Value != nil:
		return op, fmt.Errorf("taint %q: must be KEY or KEY:EFFECT to be removed, such as %s", text, op.Taint.Key)
	case !strings.HasSuffix(text, ":"+op.Taint.Effect):
		op.Taint.Effect = ""
	}
	return op, nil
}

// An OperationReport reports an Operation.
type OperationReport struct {
	Operation
	// DryRun reports that nothing was written.
	DryRun bool `json:"dry_run"`
	// Workers lists all workers of the selection, by name.
	Workers []OperationWorker `json:"workers"`
}

// Changed returns the number of workers that changed, or would change without DryRun.
func (r *OperationReport) Changed() (n int) {
	for i := range r.Workers {
		if r.Workers[i].Changed {
			n++
		}
	}
	return n
}

// An OperationWorker is a worker of an OperationReport.
type OperationWorker struct {
	Subject
	// Changed is false if the worker was already as the operation makes it.
	Changed bool `json:"changed"`
}

// errDryRun rolls back what a dry run wrote.
var errDryRun = errors.New("dry run")

// OperateWorkers applies an operation to all workers of a selection, or to none. A dry run applies
// it in a transaction and rolls that back, so that it fails where the operation would. Errors:
// store.ErrInvalid for a reason or a taint with a fault.
func OperateWorkers(
	ctx context.Context, db bun.IDB, cfg store.Config, s store.Selection, op Operation, dryRun bool,
) (*OperationReport, error) {
	var report *OperationReport
	err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) (err error) {
		if report, err = Operate(ctx, store.New(tx, cfg), s, op); err != nil || !dryRun {
			return err
		}
		report.DryRun = true
		return errDryRun
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return nil, err
	}
	return report, nil
}

// Operate applies an operation to all workers of a selection. The store must be in a transaction, so
// that it applies to all or to none. Errors: those of OperateWorkers.
func Operate(ctx context.Context, st *store.Store, s store.Selection, op Operation) (*OperationReport, error) {
	report := &OperationReport{Operation: op, Workers: []OperationWorker{}}
	standing, err := st.Workers.Standing(ctx, s)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(standing, byName)
	ids := make([]int64, len(standing))
	for i := range standing {
		ids[i] = standing[i].ID
	}
	changed, err := op.apply(ctx, st.Workers, ids)
	if err != nil {
		return nil, err
	}
	for i := range standing {
		_, did := slices.BinarySearch(changed, standing[i].ID)
		report.Workers = append(report.Workers, OperationWorker{Subject: subjectOf(&standing[i]), Changed: did})
	}
	return report, nil
}

// apply does the operation and returns the IDs of the workers that changed, ascending.
func (op *Operation) apply(ctx context.Context, workers *store.Workers, ids []int64) ([]int64, error) {
	taint := requirement.Taint{}
	if op.Taint != nil {
		taint = requirement.Taint{Key: op.Taint.Key, Value: textOf(op.Taint.Value), Effect: requirement.Effect(op.Taint.Effect)}
	}
	switch op.Kind {
	case OperationCordon:
		return workers.Cordon(ctx, op.Reason, ids...)
	case OperationUncordon:
		return workers.Uncordon(ctx, ids...)
	case OperationTaint:
		return workers.Taint(ctx, taint, ids...)
	case OperationUntaint:
		return workers.Untaint(ctx, taint.Key, taint.Effect, ids...)
	}
	return nil, fmt.Errorf("%w operation: must be cordon, uncordon, taint or untaint, got %q", store.ErrInvalid, op.Kind)
}

// A Cordon is why no new work is sent to a worker.
type Cordon struct {
	// Reason is empty if the operator gave none.
	Reason string `json:"reason,omitempty"`
	// By is the database's user, or the identity that a platform stored. It is empty if neither is
	// known.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
}

// Operations holds what operators did to a worker.
type Operations struct {
	// Cordon is nil without one.
	Cordon *Cordon `json:"cordon,omitempty"`
	// OperatorTaints are the taints of operators. Those of the host are not among them.
	OperatorTaints []Taint `json:"operator_taints,omitempty"`
}

// OperationsOn returns what operators did to workers, by ID. Workers without cordon and taint are
// not in the map.
func OperationsOn(ctx context.Context, st *store.Store, ids ...int64) (map[int64]Operations, error) {
	cordons, err := st.Workers.Cordons(ctx, ids)
	if err != nil {
		return nil, err
	}
	taints, err := st.Workers.OperatorTaints(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := map[int64]Operations{}
	for _, c := range cordons {
		found[c.Worker] = Operations{Cordon: &Cordon{Reason: textOf(c.Reason), By: textOf(c.CreatedBy), At: c.Created}}
	}
	for _, t := range taints {
		of := found[t.Worker]
		taint := Taint{Key: t.Key, Effect: t.Effect}
		if t.Value != "" {
			taint.Value = &t.Value
		}
		of.OperatorTaints = append(of.OperatorTaints, taint)
		found[t.Worker] = of
	}
	return found, nil
}
