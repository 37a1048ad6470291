//nolint:bodyclose // answered closes every body
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/client"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A serverSource answers from a server, by the generated client.
type serverSource struct {
	client client.ClientInterface
	url    string
}

var _ source = (*serverSource)(nil)

func (s *serverSource) close()         {}
func (s *serverSource) name() string   { return s.url }
func (s *serverSource) pending() error { return nil }

// with adds the parameters of a query to a request.
func with(q url.Values) client.RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		r.URL.RawQuery = q.Encode()
		return nil
	}
}

// number returns a number as the value of a parameter.
func number[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }

// pageSize is the size of the pages in which lists are read.
const pageSize = 1000

// mostTerms is the number of ids of one request.
const mostTerms = 200

// queryOf returns a selection as parameters.
func queryOf(s store.Selection) url.Values {
	q := url.Values{}
	for _, id := range s.IDs {
		q.Add("id", number(id))
	}
	q["name"], q["host"] = s.Names, s.Hosts
	addRoles(q, s.Roles)
	for _, status := range s.Statuses {
		q.Add("status", string(status))
	}
	if s.Stale {
		q.Add("status", "stale")
	}
	if s.Silent > 0 {
		q.Set("silent", s.Silent.String())
	}
	for _, l := range s.Labels {
		text := l.Key
		if l.Value != nil {
			text += "=" + *l.Value
		}
		q.Add("label", text)
	}
	for key, list := range map[string][]store.Requirement{"has": s.Has, "lacks": s.Lacks} {
		for i := range list {
			q.Add(key, termOf(&list[i]))
			if list[i].Prereleases {
				q.Set("prereleases", "true")
			}
		}
	}
	return q
}

func addRoles(q url.Values, roles []metadata.Role) {
	for _, role := range roles {
		q.Add("role", string(role))
	}
}

// termOf returns a requirement as RUNTIME[@CONSTRAINT].
func termOf(r *store.Requirement) string {
	text := cmp.Or(r.Ref, r.Name)
	if r.Constraint != nil {
		text += "@" + r.Constraint.String()
	}
	return text
}

// workerPage is a page of workers.
type workerPage struct {
	Items   []answer.WorkerItem
	Next    string
	LeftOut int `json:"left_out"`
	Counts  *answer.Counts
}

func (s *serverSource) workers(ctx context.Context, q url.Values) (workerPage, error) {
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
	found := map[int64]store.WorkerSnapshot{}
	err := s.byIDs(ctx, ids, documents, func(w *answer.WorkerItem) { found[w.ID] = snapshotOf(w) })
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

// Installed returns the installations in the documents of workers.
func (s *serverSource) Installed(ctx context.Context, ids []int64) ([]store.Reported, error) {
	rows, err := s.Rows(ctx, ids, true)
	var all []store.Reported
	for i := range rows {
		doc, err := answer.Document(&rows[i].Worker, nil)
		if err != nil || doc == nil {
			continue
		}
		for _, d := range doc.Detected {
			all = append(all, store.Reported{Worker: rows[i].ID, RuntimeRef: d.Ref, Name: d.Name, Version: d.Version})
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
	text, err := json.Marshal(op)
	if err != nil {
		return nil, err
	}
	q := queryOf(of)
	if dryRun {
		q.Set("dry_run", "true")
	}
	return answered[*answer.OperationReport](s.client.OperateWorkersWithBody(ctx, nil, jsonType, bytes.NewReader(text), with(q)))
}

const jsonType = "application/json"

func (s *serverSource) explain(ctx context.Context, w *store.WorkerSnapshot, q answer.Question) (*answer.Explanation, error) {
	query := url.Values{"runtime": {termOf(&q.Requirement)}, "include": {"evidence"}}
	if q.Prereleases {
		query.Set("prereleases", "true")
	}
	return answered[*answer.Explanation](s.client.ExplainWorker(ctx, w.ID, nil, with(query)))
}

func (s *serverSource) diff(ctx context.Context, a, b *store.WorkerSnapshot) (*answer.Difference, error) {
	return answered[*answer.Difference](s.client.DiffWorkers(ctx, a.ID, nil, with(url.Values{"with": {number(b.ID)}})))
}

// runtimePage is a page of definitions.
type runtimePage struct {
	Items []runtimeItem
	Next  string
}

type runtimeItem struct {
	Ref, Name  string
	Definition json.RawMessage
}

// read returns the definition, or nil without one.
func (r *runtimeItem) read() (*metadata.Definition, error) {
	if r.Definition == nil {
		return nil, nil
	}
	d, err := metadata.ReadStored(r.Definition)
	return &d, err
}

func (s *serverSource) definitions(ctx context.Context) (cli.Definitions, error) {
	all := cli.Definitions{Completion: packs.Completion{Definitions: []metadata.Definition{}}}
	q := url.Values{"include": {"definition"}, "limit": {number(pageSize)}}
	for {
		page, err := answered[runtimePage](s.client.ListRuntimes(ctx, nil, with(q)))
		for i := 0; i < len(page.Items) && err == nil; i++ {
			var d metadata.Definition
			d, err = metadata.ReadStored(page.Items[i].Definition)
			all.Definitions = append(all.Definitions, d)
		}
		if err != nil || page.Next == "" {
			return all, err
		}
		q.Set("after", page.Next)
	}
}

// meant returns the runtime that is meant by a name, or nil.
func (s *serverSource) meant(ctx context.Context, name string) (*runtimeItem, error) {
	page, err := answered[runtimePage](s.client.ListRuntimes(ctx, nil, with(url.Values{"name": {name}, "include": {"definition"}})))
	if err != nil || len(page.Items) == 0 {
		return nil, err
	}
	return &page.Items[0], nil
}

func (s *serverSource) mean(ctx context.Context, r *requirement, found *cli.Definitions) error {
	row, err := s.meant(ctx, r.Written)
	switch {
	case err != nil:
		return err
	case row == nil:
		return answer.UnknownRuntime(r.Written, metadata.NewIndex(found.Definitions))
	}
	r.Ref, r.Name = row.Ref, row.Name
	r.Definition, err = row.read()
	return err
}

func (s *serverSource) definition(ctx context.Context, name string) (def *metadata.Definition, note string, err error) {
	row, err := s.meant(ctx, name)
	switch {
	case err != nil:
		return nil, "", err
	case row == nil || row.Definition == nil:
		return nil, "", store.ErrNotFound
	}
	def, err = row.read()
	return def, "", err
}

func (s *serverSource) holders(ctx context.Context, ref string, limit int) (holders []answer.Subject, all int, err error) {
	q := queryOf(store.Selection{Has: []store.Requirement{{Ref: ref}}})
	q.Set("limit", number(limit))
	q.Set("include", "counts")
	page, err := s.workers(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	for i := range page.Items {
		w := &page.Items[i]
		holders = append(holders, answer.Subject{ID: w.ID, Name: w.Name, Role: w.Role, Status: w.Status, Stale: w.Stale})
	}
	return holders, page.Counts.All, nil
}

func (s *serverSource) guest(ctx context.Context) (bool, error) {
	status, err := answered[struct{ Guest bool }](s.client.GetStatus(ctx))
	return status.Guest, err
}

// changePage is a page of changes.
type changePage struct {
	Items []answer.Change
	Last  int64
}

// changesQuery returns a filter as parameters.
func changesQuery(filter store.ChangeFilter) url.Values {
	q := url.Values{"name": filter.Names}
	addRoles(q, filter.Roles)
	if runtime := cmp.Or(filter.Ref, filter.Name); runtime != "" {
		q.Set("runtime", runtime)
	}
	if filter.Since > 0 {
		q.Set("since", filter.Since.String())
	}
	if filter.Before > 0 {
		q.Set("before", number(filter.Before))
	}
	return q
}

func (s *serverSource) history(ctx context.Context, filter store.ChangeFilter) ([]answer.Change, error) {
	all := []answer.Change{}
	err := s.eachChange(ctx, filter, func(changes []answer.Change) error {
		all = append(all, changes...)
		return nil
	})
	return all, err
}

func (s *serverSource) eachChange(ctx context.Context, filter store.ChangeFilter, fn func([]answer.Change) error) error {
	for left := filter.Limit; ; left -= pageSize {
		size := pageSize
		if filter.Limit > 0 {
			size = min(size, left)
		}
		q := changesQuery(filter)
		q.Set("limit", number(size))
		page, err := answered[changePage](s.client.ListChanges(ctx, nil, with(q)))
		if err == nil && len(page.Items) > 0 {
			err = fn(page.Items)
		}
		if err != nil || len(page.Items) < size || filter.Limit > 0 && left <= size {
			return err
		}
		filter.Before = page.Items[len(page.Items)-1].ID
	}
}

// followWait is how long one request waits for a change.
const followWait = "30s"

func (s *serverSource) follow(ctx context.Context, filter store.ChangeFilter, after *int64) (iter.Seq2[answer.Change, error], error) {
	if after == nil {
		status, err := answered[struct {
			Last int64 `json:"last_change"`
		}](s.client.GetStatus(ctx))
		if err != nil {
			return nil, err
		}
		after = &status.Last
	}
	from := *after
	return func(yield func(answer.Change, error) bool) {
		for ctx.Err() == nil {
			q := changesQuery(filter)
			q.Set("from", number(from))
			q.Set("wait", followWait)
			q.Set("limit", number(pageSize))
			page, err := answered[changePage](s.client.ListChanges(ctx, nil, with(q)))
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				if !yield(answer.Change{}, err) {
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
				continue
			}
			from = page.Last
			for i := range page.Items {
				if !yield(page.Items[i], nil) {
					return
				}
			}
		}
	}, nil
}

func (s *serverSource) place(ctx context.Context, r *placement.Requirement, limit int, hosts bool) (*placement.Answer, error) {
	text, err := r.MarshalJSON()
	if err != nil {
		return nil, err
	}
	q := url.Values{"limit": {number(limit)}}
	if limit > pageSize {
		q.Set("limit", "0")
	}
	if hosts {
		q.Set("include", "hosts")
	}
	a, err := answered[*placement.Answer](s.client.PlaceWithBody(ctx, nil, jsonType, bytes.NewReader(text), with(q)))
	if err == nil && limit > 0 && len(a.Placed) > limit {
		a.Placed = a.Placed[:limit]
	}
	return a, err
}

// subjectPage is a page of actions or sensors.
type subjectPage struct {
	Fleet int
	Items []answer.SubjectCount
	Next  string
}

// ofKind returns all actions or sensors of a query.
func (s *serverSource) ofKind(ctx context.Context, kind store.SubjectKind, q url.Values) (all subjectPage, err error) {
	q.Set("limit", number(pageSize))
	for {
		var page subjectPage
		if kind == store.ActionSubject {
			page, err = answered[subjectPage](s.client.ListActions(ctx, nil, with(q)))
		} else {
			page, err = answered[subjectPage](s.client.ListSensors(ctx, nil, with(q)))
		}
		all.Fleet, all.Items = page.Fleet, append(all.Items, page.Items...)
		if err != nil || page.Next == "" {
			return all, err
		}
		q.Set("after", page.Next)
	}
}

func (s *serverSource) subject(ctx context.Context, _ *metadata.Index, kind store.SubjectKind, ref string) (*answer.PlaceSubject, error) {
	found, err := s.ofKind(ctx, kind, url.Values{"ref": {ref}})
	if err != nil {
		return nil, err
	}
	if len(found.Items) > 0 {
		return &found.Items[0].PlaceSubject, nil
	}
	if found, err = s.ofKind(ctx, kind, url.Values{}); err != nil {
		return nil, err
	}
	var refs []string
	for i := range found.Items {
		refs = append(refs, found.Items[i].Ref)
	}
	slices.Sort(refs)
	return nil, &answer.UnknownSubjectError{Kind: kind, Ref: ref, Near: metadata.Nearest(ref, refs)}
}

func (s *serverSource) subjects(ctx context.Context, _ *metadata.Index, pack string) (*answer.SubjectCounts, error) {
	counts := answer.SubjectCounts{Subjects: []answer.SubjectCount{}}
	for _, kind := range []store.SubjectKind{store.ActionSubject, store.SensorSubject} {
		q := url.Values{}
		if pack != "" {
			q.Set("pack", pack)
		}
		found, err := s.ofKind(ctx, kind, q)
		if err != nil {
			return nil, err
		}
		counts.Fleet, counts.Subjects = found.Fleet, append(counts.Subjects, found.Items...)
	}
	slices.SortFunc(counts.Subjects, func(a, b answer.SubjectCount) int {
		return cmp.Or(cmp.Compare(a.Fit, b.Fit), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Kind, b.Kind))
	})
	return &counts, nil
}

func (s *serverSource) whatIf(
	ctx context.Context, _ *metadata.Index, pack string, changes []placement.Change,
) (*answer.Consequences, error) {
	question := struct {
		Changes []string `json:"changes"`
		Pack    string   `json:"pack,omitempty"`
	}{Pack: pack}
	var workers []string
	for _, change := range changes {
		question.Changes = append(question.Changes, change.String())
		workers = append(workers, change.Workers...)
	}
	text, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	found, err := answered[*answer.Consequences](s.client.WhatIfWithBody(ctx, jsonType, bytes.NewReader(text)))
	if errors.Is(err, store.ErrInvalid) {
		if unknown, other := answer.UnknownNames(ctx, s, workers); other == nil && len(unknown) > 0 {
			return nil, answer.UnknownWorkers(unknown)
		}
	}
	return found, err
}

// A refusal is an error that a server answered.
type refusal struct {
	Type, Title, Detail string
	Status              int
	Faults              []struct{ Parameter, Pointer, Message string }
}

func (e *refusal) Error() string {
	var messages []string
	for _, f := range e.Faults {
		messages = append(messages, f.Message)
	}
	switch {
	case messages != nil:
		return strings.Join(messages, "; ")
	case e.Status == http.StatusUnauthorized:
		return "the server does not accept the token; `attune tokens create` makes one for ATTUNE_TOKEN"
	case e.Detail != "":
		return e.Detail
	}
	return fmt.Sprintf("the server answered %d: %s", e.Status, strings.ToLower(cmp.Or(e.Title, http.StatusText(e.Status))))
}

// Is reports whether the refusal means what a database means by an error.
func (e *refusal) Is(target error) bool {
	switch e.Status {
	case http.StatusNotFound:
		return target == store.ErrNotFound
	case http.StatusBadRequest:
		return target == store.ErrInvalid || target == answer.ErrCursor && len(e.Faults) == 1 && e.Faults[0].Parameter == "after"
	}
	return false
}
