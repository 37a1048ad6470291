package api

import (
	"context"
	"slices"
	"strconv"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// index returns the names by which the documents of a platform's own workers are read.
func (a *API) index(ctx context.Context) (*metadata.Index, error) {
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	return defs.index, nil
}

// ListWorkers implements the operation listWorkers.
func (a *API) ListWorkers(ctx context.Context, r server.ListWorkersRequestObject) (server.ListWorkersResponseObject, error) {
	c, p := callOf(ctx), r.Params
	q := answer.ListQuery{
		Order:     store.Order(p.Sort),
		Labels:    slices.Contains(p.Include, server.ListWorkersParamsIncludeLabels),
		Versions:  slices.Contains(p.Include, server.ListWorkersParamsIncludeVersions),
		Documents: slices.Contains(p.Include, server.ListWorkersParamsIncludeDocument),
		Names:     a.index,
	}
	if q.Documents {
		if err := c.needsOperate("document"); err != nil {
			return nil, err
		}
	}
	terms, err := a.page(ctx, &q, p.Prereleases, p.Limit, p.After)
	if err != nil {
		return nil, err
	}
	if slices.Contains(p.Include, server.ListWorkersParamsIncludeAnswers) {
		q.Answers = terms
	}
	if q.Order == store.OrderVersion && len(q.Selection.Has)+len(q.Selection.Lacks) == 0 {
		return nil, wrong("sort", "version needs has or lacks to name the runtime")
	}
	list := server.ListWorkers200JSONResponse{Items: []answer.WorkerItem{}}
	next, err := answer.ListWorkers(ctx, a.store, q, func(workers []answer.WorkerItem) error {
		list.Items = append(list.Items, workers...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if list.LeftOut, err = a.store.Workers.ByPrerelease(ctx, q.Selection); err != nil {
		return nil, err
	}
	if slices.Contains(p.Include, server.ListWorkersParamsIncludeCounts) {
		if list.Counts, err = answer.CountWorkers(ctx, a.store, q.Selection); err != nil {
			return nil, err
		}
	}
	list.Next = c.next(next)
	if err := c.tag(withoutHeartbeat(list.Items...), list.Next, list.LeftOut, list.Counts); err != nil {
		return nil, err
	}
	list.Now, err = a.store.Now(ctx)
	return list, err
}

// page fills in the selection, the limit and the position of a query, and returns the runtimes
// that the selection names. The error has all faults of the selection.
func (a *API) page(
	ctx context.Context, q *answer.ListQuery, prereleases bool, limit int, after string,
) (terms []answer.RuntimeTerm, err error) {
	c := callOf(ctx)
	if q.Selection, terms, err = a.selection(ctx, prereleases); err != nil {
		return nil, err
	}
	if q.Limit, err = limitOf(c, limit); err != nil {
		return nil, err
	}
	c.list = listOf(q)
	q.After, err = c.position(after)
	return terms, err
}

// worker returns a worker by its ID. Errors: store.ErrNotFound.
func (a *API) worker(ctx context.Context, id int64) (*store.WorkerSnapshot, error) {
	found, err := a.store.Workers.Select(ctx, store.Selection{IDs: []int64{id}})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, &problem{kind: NotFound, detail: "no worker has the id " + strconv.FormatInt(id, 10)}
	}
	return &found[0], nil
}

// exists returns an error unless a worker exists, without reading its document.
func (a *API) exists(ctx context.Context, id int64) error {
	found, err := a.store.Workers.Rows(ctx, []int64{id}, false)
	if err == nil && len(found) == 0 {
		err = &problem{kind: NotFound, detail: "no worker has the id " + strconv.FormatInt(id, 10)}
	}
	return err
}

// GetWorker implements the operation getWorker.
func (a *API) GetWorker(ctx context.Context, r server.GetWorkerRequestObject) (server.GetWorkerResponseObject, error) {
	c := callOf(ctx)
	q := answer.ListQuery{
		Labels: true, Versions: true, Names: a.index,
		Documents: slices.Contains(r.Params.Include, server.GetWorkerParamsIncludeDocument),
	}
	if q.Documents {
		if err := c.needsOperate("document"); err != nil {
			return nil, err
		}
	}
	ids := []int64{r.Id}
	tagged, err := a.tagWorkers(ctx, ids)
	if err != nil {
		return nil, err
	}
	var found []answer.WorkerItem
	if err := answer.ReadWorkers(ctx, a.store, q, ids, func(workers []answer.WorkerItem) error {
		found = append(found, workers...)
		return nil
	}); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, a.exists(ctx, r.Id)
	}
	if !tagged {
		err = c.tag(withoutHeartbeat(found[0]))
	}
	return server.GetWorker200JSONResponse(found[0]), err
}

// ListWorkerRuntimes implements the operation listWorkerRuntimes.
func (a *API) ListWorkerRuntimes(
	ctx context.Context, r server.ListWorkerRuntimesRequestObject,
) (server.ListWorkerRuntimesResponseObject, error) {
	tagged, err := a.tagWorkers(ctx, []int64{r.Id})
	if err != nil {
		return nil, err
	}
	if !tagged {
		err = a.exists(ctx, r.Id)
	}
	if err != nil {
		return nil, err
	}
	items, err := answer.ReportedRuntimes(ctx, a.store, r.Id)
	for i := range items {
		items[i].Detail = callOf(ctx).withoutOutput(items[i].Detail)
	}
	if err == nil && !tagged {
		err = callOf(ctx).tag(items)
	}
	if err != nil {
		return nil, err
	}
	now, err := a.store.Now(ctx)
	return server.ListWorkerRuntimes200JSONResponse{Items: items, Now: now}, err
}

// ExplainWorker implements the operation explainWorker.
func (a *API) ExplainWorker(ctx context.Context, r server.ExplainWorkerRequestObject) (server.ExplainWorkerResponseObject, error) {
	c := callOf(ctx)
	evidence := slices.Contains(r.Params.Include, server.Evidence)
	if evidence {
		if err := c.needsOperate("evidence"); err != nil {
			return nil, err
		}
	}
	term, err := a.term(ctx, "runtime", r.Params.Runtime, r.Params.Prereleases)
	if err != nil {
		return nil, err
	}
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	revision, tagged := defs.revision()
	if tagged {
		if tagged, err = a.tagWorkers(ctx, []int64{r.Id}, revision, term.Ref, term.Name); err != nil {
			return nil, err
		}
	}
	worker, err := a.worker(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	e, err := answer.Explain(ctx, a.store, worker, answer.Question{
		RuntimeFilter: term.RuntimeFilter, Definition: term.Definition, Index: defs.index, Words: a.cfg.Words,
	})
	if err != nil {
		return nil, err
	}
	c.explained(e, evidence)
	if !tagged {
		steady := *e
		steady.Worker.LastHeartbeat, steady.Worker.SilentSeconds = nil, nil
		err = c.tag(steady)
	}
	return server.ExplainWorker200JSONResponse(*e), err
}

// RefreshWorker implements the operation refreshWorker.
func (a *API) RefreshWorker(ctx context.Context, r server.RefreshWorkerRequestObject) (server.RefreshWorkerResponseObject, error) {
	worker, err := a.worker(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := callOf(ctx).checkMatch(true); err != nil {
		return nil, err
	}
	refresh := answer.NewRefresh([]store.WorkerSnapshot{*worker})
	subject := "worker " + strconv.FormatInt(worker.ID, 10) + " " + worker.Name
	err = a.audited(ctx, subject, refresh.Workers[0], func(ctx context.Context, st *store.Store) error {
		return refresh.Request(ctx, answer.RefreshIn(st))
	})
	return server.RefreshWorker202JSONResponse(refresh.Workers[0]), err
}

// RefreshWorkers implements the operation refreshWorkers.
func (a *API) RefreshWorkers(ctx context.Context, r server.RefreshWorkersRequestObject) (server.RefreshWorkersResponseObject, error) {
	selection, err := a.named(ctx, r.Params.Prereleases)
	if err != nil {
		return nil, err
	}
	found, err := answer.In(a.store).Find(ctx, selection)
	if err != nil {
		return nil, err
	}
	refresh := answer.NewRefresh(found)
	ids := make([]int64, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	err = a.audited(ctx, countOf(ids), bulk{Workers: ids}, func(ctx context.Context, st *store.Store) error {
		return refresh.Request(ctx, answer.RefreshIn(st))
	})
	return server.RefreshWorkers202JSONResponse{Items: refresh.Workers}, err
}

// DiffWorkers implements the operation diffWorkers.
func (a *API) DiffWorkers(ctx context.Context, r server.DiffWorkersRequestObject) (server.DiffWorkersResponseObject, error) {
	includesFacts := slices.Contains(r.Params.Include, server.Facts)
	if includesFacts {
		if err := callOf(ctx).needsOperate("facts"); err != nil {
			return nil, err
		}
	}
	tagged, err := a.tagWorkers(ctx, []int64{r.Id, r.Params.With})
	if err != nil {
		return nil, err
	}
	one, err := a.worker(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	other, err := a.worker(ctx, r.Params.With)
	if err != nil {
		return nil, err
	}
	d, err := answer.Diff(ctx, a.store, one, other)
	if err != nil {
		return nil, err
	}
	if !includesFacts {
		d.Facts = nil
	}
	if !tagged {
		err = callOf(ctx).tag(d)
	}
	return server.DiffWorkers200JSONResponse(*d), err
}
