//nolint:bodyclose // answered closes every body
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A workerPage is a page of workers.
type workerPage struct {
	Items   []answer.WorkerItem
	Next    string
	LeftOut int `json:"left_out"`
	Counts  *answer.Counts
}

// longestQuery is the length up to which a query is sent in the URL. A server takes 16 KiB of headers, and proxies less.
const longestQuery = 4 << 10

func (s *serverSource) workers(ctx context.Context, q url.Values) (workerPage, error) {
	if text := q.Encode(); len(text) > longestQuery {
		return answered[workerPage](s.client.QueryWorkersWithBody(ctx, formType, strings.NewReader(text)))
	}
	return answered[workerPage](s.client.ListWorkers(ctx, nil, with(q)))
}

func (s *serverSource) list(ctx context.Context, q answer.ListQuery, fn func([]answer.WorkerItem) error) (next string, err error) {
	query := queryOf(q.Selection)
	query.Set("sort", string(cmp.Or(q.Order, store.OrderName)))
	for part, wanted := range map[string]bool{
		"labels": q.Labels, "versions": q.Versions, "document": q.Documents, "answers": len(q.Answers) > 0,
	} {
		if wanted {
			query.Add("include", part)
		}
	}
	for left := q.Limit; ; left -= pageSize {
		size := pageSize
		if q.Documents {
			size = mostTerms
		}
		if q.Limit > 0 {
			size = min(size, left)
		}
		query.Set("limit", number(size))
		query.Del("after")
		if after := cmp.Or(next, q.After); after != "" {
			query.Set("after", after)
		}
		page, err := s.workers(ctx, query)
		if err == nil && len(page.Items) > 0 {
			err = fn(page.Items)
		}
		if next = page.Next; err != nil || next == "" || q.Limit > 0 && left <= size {
			return next, err
		}
	}
}

// first returns the first worker of a selection with what describes all of it.
func (s *serverSource) first(ctx context.Context, of store.Selection) (workerPage, error) {
	q := queryOf(of)
	q.Set("limit", "1")
	q.Set("include", "counts")
	return s.workers(ctx, q)
}

func (s *serverSource) leftOut(ctx context.Context, of store.Selection) (int, error) {
	page, err := s.first(ctx, of)
	return page.LeftOut, err
}

func (s *serverSource) counts(ctx context.Context, of store.Selection) (*answer.Counts, error) {
	page, err := s.first(ctx, of)
	return page.Counts, err
}

// Find returns the workers of a selection by name, without documents.
func (s *serverSource) Find(ctx context.Context, of store.Selection) (found []store.WorkerSnapshot, err error) {
	_, err = s.list(ctx, answer.ListQuery{Selection: of}, func(items []answer.WorkerItem) error {
		for i := range items {
			found = append(found, snapshotOf(&items[i]))
		}
		return nil
	})
	return found, err
}

// Names returns the names of all workers.
func (s *serverSource) Names(ctx context.Context) (names []string, err error) {
	_, err = s.list(ctx, answer.ListQuery{}, func(items []answer.WorkerItem) error {
		for i := range items {
			names = append(names, items[i].Name)
		}
		return nil
	})
	return names, err
}

// byIDs calls fn with workers, in no order.
func (s *serverSource) byIDs(ctx context.Context, ids []int64, documents bool, fn func(*answer.WorkerItem)) error {
	for part := range slices.Chunk(ids, mostTerms) {
		_, err := s.list(ctx, answer.ListQuery{Selection: store.Selection{IDs: part}, Documents: documents},
			func(items []answer.WorkerItem) error {
				for i := range items {
					fn(&items[i])
				}
				return nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// Rows returns workers by id.
func (s *serverSource) Rows(ctx context.Context, ids []int64, documents bool) ([]store.WorkerSnapshot, error) {
	read := func(documents bool) (map[int64]store.WorkerSnapshot, error) {
		found := map[int64]store.WorkerSnapshot{}
		err := s.byIDs(ctx, ids, documents, func(w *answer.WorkerItem) { found[w.ID] = snapshotOf(w) })
		return found, err
	}
	var found map[int64]store.WorkerSnapshot
	var err error
	if documents {
		found, err = withDocuments(s, read)
	} else {
		found, err = read(false)
	}
	rows := make([]store.WorkerSnapshot, 0, len(found))
	for _, id := range ids {
		if w, ok := found[id]; ok {
			rows = append(rows, w)
		}
	}
	return rows, err
}

// snapshotOf returns the row that the list shows as an item.
func snapshotOf(w *answer.WorkerItem) store.WorkerSnapshot {
	row := store.WorkerSnapshot{Stale: w.Stale, Documented: len(w.Capabilities) > 0}
	row.ID, row.Name, row.WorkerType, row.WorkerRole = w.ID, w.Name, schema.WorkerType(w.Type), schema.WorkerRole(w.Role)
	if w.Role == string(metadata.Worker) {
		row.WorkerRole = schema.RoleAction
	}
	if w.Status != "" {
		row.Status = new(schema.WorkerStatus(w.Status))
	}
	if w.SilentSeconds != nil {
		row.Silent = new(time.Duration(*w.SilentSeconds * float64(time.Second)))
	}
	row.Host, row.Port, row.LastHeartbeat, row.HeartbeatInterval = w.Host, w.Port, w.LastHeartbeat, w.HeartbeatInterval
	row.Instance, row.RefreshRequested, row.Updated, row.Identity = w.Instance, w.RefreshRequested, w.Updated, w.Identity
	row.Capabilities, row.Meta = w.Capabilities, w.Meta
	if w.Created != nil {
		row.Created = *w.Created
	}
	return row
}

func (s *serverSource) operations(ctx context.Context, ids []int64) (map[int64]answer.Operations, error) {
	found := map[int64]answer.Operations{}
	err := s.byIDs(ctx, ids, false, func(w *answer.WorkerItem) { found[w.ID] = w.Operations })
	return found, err
}

// Installations returns the installations in the documents of workers.
func (s *serverSource) Installations(ctx context.Context, ids []int64) ([]store.ReportRow, error) {
	rows, err := s.Rows(ctx, ids, true)
	var all []store.ReportRow
	for i := range rows {
		doc, err := answer.Document(&rows[i].Worker, nil)
		if err != nil || doc == nil {
			continue
		}
		for _, d := range doc.Detected {
			all = append(all, store.ReportRow{Worker: rows[i].ID, RuntimeRef: d.Ref, Name: d.Name, Version: d.Version})
		}
	}
	return all, err
}

// Refreshed returns the times of the last refresh that documents serve.
func (s *serverSource) Refreshed(ctx context.Context, ids ...int64) (map[int64]time.Time, error) {
	rows, err := s.Rows(ctx, ids, true)
	found := map[int64]time.Time{}
	for i := range rows {
		var doc struct{ Refreshed time.Time }
		if json.Unmarshal(rows[i].Capabilities, &doc) == nil && !doc.Refreshed.IsZero() {
			found[rows[i].ID] = doc.Refreshed
		}
	}
	return found, err
}

// RequestRefresh asks workers.
func (s *serverSource) RequestRefresh(ctx context.Context, ids ...int64) error {
	for part := range slices.Chunk(ids, mostTerms) {
		q := queryOf(store.Selection{IDs: part})
		if _, err := answered[any](s.client.RefreshWorkers(ctx, nil, with(q))); err != nil {
			return err
		}
	}
	return nil
}

func (s *serverSource) operate(
	ctx context.Context, of store.Selection, op answer.Operation, dryRun bool,
) (*answer.OperationReport, error) {
	request := answer.OperationRequest{Operation: op}
	q := queryOf(of)
	if len(q.Encode()) > longestQuery {
		found, err := s.Find(ctx, of)
		if err != nil || len(found) == 0 {
			return &answer.OperationReport{Operation: op, DryRun: dryRun, Workers: []answer.OperationWorker{}}, err
		}
		for i := range found {
			request.IDs = append(request.IDs, found[i].ID)
		}
		q = url.Values{}
	}
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	if dryRun {
		q.Set("dry_run", "true")
	}
	return answered[*answer.OperationReport](s.client.OperateWorkersWithBody(ctx, nil, jsonType, bytes.NewReader(text), with(q)))
}

// The types of bodies.
const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

func (s *serverSource) explain(ctx context.Context, w *store.WorkerSnapshot, q answer.Question) (*answer.Explanation, error) {
	query := url.Values{"runtime": {termOf(&q.RuntimeFilter)}}
	if q.Prereleases {
		query.Set("prereleases", "true")
	}
	return withDocuments(s, func(evidence bool) (*answer.Explanation, error) {
		query.Del("include")
		if evidence {
			query.Set("include", "evidence")
		}
		return answered[*answer.Explanation](s.client.ExplainWorker(ctx, w.ID, nil, with(query)))
	})
}

func (s *serverSource) diff(ctx context.Context, a, b *store.WorkerSnapshot) (*answer.Difference, error) {
	return withDocuments(s, func(facts bool) (*answer.Difference, error) {
		query := url.Values{"with": {number(b.ID)}}
		if facts {
			query.Set("include", "facts")
		}
		return answered[*answer.Difference](s.client.DiffWorkers(ctx, a.ID, nil, with(query)))
	})
}
