package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// operate applies an operation to one worker, in the transaction that writes the audit.
func (a *API) operate(ctx context.Context, id int64, op answer.Operation) (*answer.OperationReport, error) {
	if err := checkOperation(&op, ""); err != nil {
		return nil, err
	}
	found, err := a.store.Workers.Standing(ctx, store.Selection{IDs: []int64{id}})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, a.exists(ctx, id)
	}
	if err := callOf(ctx).checkMatch(true); err != nil {
		return nil, err
	}
	var report *answer.OperationReport
	subject := "worker " + strconv.FormatInt(id, 10) + " " + found[0].Name
	err = a.audited(ctx, subject, op, func(ctx context.Context, st *store.Store) (err error) {
		report, err = answer.Operate(ctx, st, store.Selection{IDs: []int64{id}}, op)
		return err
	})
	if errors.Is(err, store.ErrInvalid) {
		err = invalid(Fault{Message: err.Error()})
	}
	return report, err
}

// checkOperation returns an error for an operation with a fault, before anything is read or audited. of points to the
// taint in the body.
func checkOperation(op *answer.Operation, of string) error {
	if op.Kind == answer.OperationCordon {
		if err := store.CheckReason(op.Reason); err != nil {
			return invalid(Fault{Pointer: "/reason", Message: err.Error()})
		}
	}
	switch op.Kind {
	case answer.OperationCordon, answer.OperationUncordon:
		return nil
	case answer.OperationTaint, answer.OperationUntaint:
	default:
		return invalid(Fault{Pointer: "/operation", Message: fmt.Sprintf("must be cordon, uncordon, taint or untaint, got %.100q", op.Kind)})
	}
	if op.Taint == nil {
		return invalid(Fault{Pointer: "/taint", Message: "must be an object with a key"})
	}
	taint := requirement.Taint{Key: op.Taint.Key, Effect: requirement.Effect(op.Taint.Effect)}
	if op.Taint.Value != nil {
		taint.Value = *op.Taint.Value
	}
	if op.Kind == answer.OperationUntaint && taint.Effect == "" { // both
		taint.Effect = requirement.NoSchedule
	}
	if err := taint.Validate(); err != nil {
		return invalid(Fault{Pointer: of, Message: err.Error()})
	}
	return nil
}

// OperateWorkers implements the operation operateWorkers.
func (a *API) OperateWorkers(ctx context.Context, r server.OperateWorkersRequestObject) (server.OperateWorkersResponseObject, error) {
	op := r.Body.Operation
	if err := checkOperation(&op, "/taint"); err != nil {
		return nil, err
	}
	selection, err := a.named(ctx, r.Params.Prereleases, r.Body.IDs...)
	if err != nil {
		return nil, err
	}
	standing, err := a.store.Workers.Standing(ctx, selection)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(standing))
	for i := range standing {
		ids[i] = standing[i].ID
	}
	if slices.Sort(ids); len(ids) == 0 {
		return server.OperateWorkers200JSONResponse{Operation: op, DryRun: r.Params.DryRun, Workers: []answer.OperationWorker{}}, nil
	}
	var report *answer.OperationReport
	err = a.audited(ctx, countOf(ids), bulk{&op, ids}, func(ctx context.Context, st *store.Store) (err error) {
		if report, err = answer.Operate(ctx, st, store.Selection{IDs: ids}, op); err == nil && r.Params.DryRun {
			report.DryRun, err = true, errDryRun
		}
		return err
	})
	switch {
	case errors.Is(err, store.ErrInvalid):
		return nil, invalid(Fault{Message: err.Error()})
	case err != nil && !errors.Is(err, errDryRun):
		return nil, err
	}
	return server.OperateWorkers200JSONResponse(*report), nil
}

// errDryRun rolls back what a dry run wrote.
var errDryRun = errors.New("dry run")

// A bulk is what the audit keeps of an operation on several workers.
type bulk struct {
	*answer.Operation
	Workers []int64 `json:"workers"`
}

func countOf(ids []int64) string {
	if len(ids) == 1 {
		return "worker " + strconv.FormatInt(ids[0], 10)
	}
	return strconv.Itoa(len(ids)) + " workers"
}

// CordonWorker implements the operation cordonWorker.
func (a *API) CordonWorker(ctx context.Context, r server.CordonWorkerRequestObject) (server.CordonWorkerResponseObject, error) {
	report, err := a.operate(ctx, r.Id, answer.Operation{Kind: answer.OperationCordon, Reason: r.Body.Reason})
	if err != nil {
		return nil, err
	}
	return server.CordonWorker200JSONResponse(*report), nil
}

// UncordonWorker implements the operation uncordonWorker.
func (a *API) UncordonWorker(ctx context.Context, r server.UncordonWorkerRequestObject) (server.UncordonWorkerResponseObject, error) {
	report, err := a.operate(ctx, r.Id, answer.Operation{Kind: answer.OperationUncordon})
	if err != nil {
		return nil, err
	}
	return server.UncordonWorker200JSONResponse(*report), nil
}

// TaintWorker implements the operation taintWorker.
func (a *API) TaintWorker(ctx context.Context, r server.TaintWorkerRequestObject) (server.TaintWorkerResponseObject, error) {
	taint := &answer.Taint{Key: r.Body.Key, Effect: cmp.Or(string(r.Body.Effect), string(requirement.NoSchedule))}
	if r.Body.Value != "" {
		taint.Value = &r.Body.Value
	}
	report, err := a.operate(ctx, r.Id, answer.Operation{Kind: answer.OperationTaint, Taint: taint})
	if err != nil {
		return nil, err
	}
	return server.TaintWorker200JSONResponse(*report), nil
}

// UntaintWorker implements the operation untaintWorker.
func (a *API) UntaintWorker(ctx context.Context, r server.UntaintWorkerRequestObject) (server.UntaintWorkerResponseObject, error) {
	report, err := a.operate(ctx, r.Id, answer.Operation{
		Kind: answer.OperationUntaint, Taint: &answer.Taint{Key: r.Body.Key, Effect: string(r.Body.Effect)},
	})
	if err != nil {
		return nil, err
	}
	return server.UntaintWorker200JSONResponse(*report), nil
}
