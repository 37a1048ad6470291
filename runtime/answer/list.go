package answer

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A ListQuery selects a part of the list of workers.
type ListQuery struct {
	// Selection selects the workers. Its Limit is ignored.
	Selection store.Selection
	// Order defaults to store.OrderName.
	Order store.Order
	// After is the cursor that the previous page ended with. Empty starts at the beginning.
	After string
	// Limit is the maximum number of workers. Zero returns all.
	Limit int
	// Versions fills in the runtimes of each worker and their versions.
	Versions bool
	// Labels fills in the labels and the taints.
	Labels bool
	// Documents fills in the capability document and the other large columns.
	Documents bool
	// Runtimes lists further runtimes for WorkerItem.Reported and WorkerItem.Document, which always have
	// the runtimes of the selection.
	Runtimes []store.RuntimeFilter
	// Outcomes leaves sources, raw versions and paths out of WorkerItem.Reported, and all but the definitions out of
	// WorkerItem.Document.
	Outcomes bool
	// Answers lists runtimes of the selection or of Runtimes that WorkerItem.Answers is about.
	Answers []RuntimeTerm
	// Names returns the names of runtimes by which the documents of a platform's own workers
	// are read. It is called if a worker needs it. Nil knows no names.
	Names func(context.Context) (*metadata.Index, error)
}

// A WorkerItem is a worker in a list. Without versions and documents, it has about half a
// kilobyte of JSON.
type WorkerItem struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
	Type string `json:"type"`
	// Status is empty if the row has none.
	Status string `json:"status"`
	// Stale reports whether the worker missed three heartbeats and did not sign off.
	Stale         bool       `json:"stale"`
	Host          *string    `json:"host,omitempty"`
	Port          *int       `json:"port,omitempty"`
	LastHeartbeat *time.Time `json:"last_heartbeat"`
	// SilentSeconds is the time since the last heartbeat; null without any.
	SilentSeconds     *float64   `json:"silent_seconds"`
	HeartbeatInterval *int       `json:"heartbeat_interval,omitempty"`
	Instance          *string    `json:"instance,omitempty"`
	RefreshRequested  *time.Time `json:"refresh_requested,omitempty"`
	Updated           time.Time  `json:"updated"`
	// Operations is what operators did to the worker.
	Operations
	// Match is the best installation of the first runtime in the selection's Has, if the
	// worker can run it now: active, with a fresh heartbeat.
	Match *Match `json:"match,omitempty"`
	// Runtimes holds the names of the runtimes, sorted, and RuntimeVersions their known
	// versions, newest first.
	Runtimes        []string            `json:"runtimes,omitempty"`
	RuntimeVersions map[string][]string `json:"runtime_versions,omitempty"`
	// Labels and Taints are those of the host.
	Labels map[string]string `json:"labels,omitempty"`
	Taints []Taint           `json:"taints,omitempty"`
	// Identity is nil if no process of attune registered the row.
	Identity     *string         `json:"identity,omitempty"`
	Capabilities json.RawMessage `json:"capabilities,omitempty"`
	Meta         json.RawMessage `json:"meta,omitempty"`
	Created      *time.Time      `json:"created,omitempty"`

	// Answers holds what the worker reported about each runtime of the query's Answers.
	Answers []RuntimeAnswer `json:"answers,omitempty"`
	// Undocumented explains why nothing is known about the worker's runtimes. It is empty if
	// they are known, or if nothing of the query asks about them.
	Undocumented string `json:"undocumented,omitempty"`

	// Reported is what the worker reported about the runtimes of the selection and the further
	// ones of the query.
	Reported []store.ReportRow `json:"-"`
	// WorkerRole is the column that Role is the name of.
	WorkerRole schema.WorkerRole `json:"-"`
	// Document is set if the worker has no row of one of these runtimes. It tells whether the
	// host looked for them.
	Document *capability.Document `json:"-"`
}

// A Match is an installation that matches. Version and Path are empty if unknown.
type Match struct {
	Version    string `json:"version"`
	Prerelease bool   `json:"prerelease"`
	Path       string `json:"path"`
}

// A Taint keeps work off a worker unless the work tolerates it.
type Taint struct {
	Key string `json:"key"`
	// Value is nil if the taint has none.
	Value  *string `json:"value,omitempty"`
	Effect string  `json:"effect"`
}

// ErrCursor means that a cursor is not of a list in this order.
var ErrCursor = errors.New("must be the cursor of a list in the same order")

// Batches of rows in memory. Documents can be large.
const (
	batch         = 500
	documentBatch = 50
)

// ListWorkers calls fn with the workers of a query, in their order and a few hundred at a
// time, so that a fleet of any size is listed within constant memory. It returns the cursor of
// the next page, which is empty at the end of the list. Workers that are deleted meanwhile are
// left out.
//
// Without versions and documents it reads neither. Errors: ErrCursor, and errors of fn.
func ListWorkers(ctx context.Context, st *store.Store, q ListQuery, fn func([]WorkerItem) error) (next string, err error) {
	l := store.Listing{Selection: q.Selection, Order: q.Order}
	if l.After, err = parseCursor(q.After, q.Order); err != nil {
		return "", err
	}
	l.Limit = 0
	if q.Limit > 0 {
		l.Limit = q.Limit + 1
	}
	ids, err := st.Workers.List(ctx, l)
	if err != nil {
		return "", err
	}
	if q.Limit > 0 && len(ids) > q.Limit {
		ids = ids[:q.Limit]
		last, err := st.Workers.PositionOf(ctx, l, ids[q.Limit-1])
		if err != nil {
			return "", err
		}
		next = cursor(q.Order, last)
	}
	return next, ReadWorkers(ctx, st, q, ids, fn)
}

// ReadWorkers calls fn with workers whose IDs are known, as ListWorkers does with those of a query. It ignores the query's order,
// limit and position, and leaves out workers that do not exist.
func ReadWorkers(ctx context.Context, st *store.Store, q ListQuery, ids []int64, fn func([]WorkerItem) error) error {
	return inBatches(ctx, st.Workers, ids, q.Documents, func(rows []store.WorkerSnapshot) error {
		items, err := q.items(ctx, st, rows)
		if err != nil {
			return err
		}
		return fn(items)
	})
}

// A place is what a cursor holds.
type place struct {
	Order store.Order `json:"order"`
	store.Position
}

func cursor(order store.Order, p *store.Position) string {
	text, err := json.Marshal(place{cmp.Or(order, store.OrderName), *p})
	if err != nil {
		panic(err) // texts and numbers only
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(text string, order store.Order) (*store.Position, error) {
	if text == "" {
		return nil, nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	var p place
	if err == nil {
		err = json.Unmarshal(decoded, &p)
	}
	if err != nil || p.Order != cmp.Or(order, store.OrderName) || strings.ContainsRune(p.Lead+p.Name, 0) { // no database holds a NUL
		return nil, fmt.Errorf("after: %w, got %.100q", ErrCursor, text)
	}
	return &p.Position, nil
}

// A RowReader reads rows of workers.
type RowReader interface {
	// Rows returns the workers that exist, in the order of ids, with or without documents.
	Rows(ctx context.Context, ids []int64, documents bool) ([]store.WorkerSnapshot, error)
}

// inBatches reads workers by ID and calls fn with a part of them at a time.
func inBatches(ctx context.Context, in RowReader, ids []int64, documents bool, fn func([]store.WorkerSnapshot) error) error {
	size := batch
	if documents {
		size = documentBatch
	}
	for part := range slices.Chunk(ids, size) {
		rows, err := in.Rows(ctx, part, documents)
		if err != nil {
			return err
		}
		if err := fn(rows); err != nil {
			return err
		}
	}
	return nil
}

// items returns the list's form of rows.
func (q *ListQuery) items(ctx context.Context, st *store.Store, rows []store.WorkerSnapshot) ([]WorkerItem, error) {
	items := make([]WorkerItem, len(rows))
	ids := make([]int64, len(rows))
	byID := map[int64]*WorkerItem{}
	for i := range rows {
		items[i], ids[i] = listed(&rows[i], q.Documents), rows[i].ID
		byID[rows[i].ID] = &items[i]
	}
	read := st.WorkerRuntimes.Reports
	if q.Outcomes {
		read = st.WorkerRuntimes.Outcomes
	}
	reported, err := read(ctx, ids, q.runtimes())
	if err != nil {
		return nil, err
	}
	for id, rows := range store.ByWorker(reported) {
		byID[id].Reported = rows
	}
	if err := q.documentAbsences(ctx, st, rows, byID); err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].Fresh && len(q.Selection.Has) > 0 {
			items[i].Match = bestMatch(&q.Selection.Has[0], items[i].Reported)
		}
	}
	operations, err := OperationsOn(ctx, st, ids...)
	if err != nil {
		return nil, err
	}
	for i := range items {
		items[i].Operations = operations[items[i].ID]
	}
	if q.Labels {
		if err := label(ctx, st, ids, byID); err != nil {
			return nil, err
		}
	}
	for i := range items {
		for j := range q.Answers {
			items[i].Answers = append(items[i].Answers, answerOf(&q.Answers[j], &items[i]))
		}
		if !q.Versions && len(q.Answers) == 0 {
			items[i].Undocumented = ""
		}
	}
	if !q.Versions {
		return items, nil
	}
	installed, err := st.WorkerRuntimes.Installations(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range installed {
		byID[installed[i].Worker].addVersion(installed[i].Name, installed[i].Version)
	}
	return items, q.declare(ctx, st, rows, byID)
}

// runtimes returns the runtimes of the selection and the further ones.
func (q *ListQuery) runtimes() []store.RuntimeFilter {
	return slices.Concat(q.Selection.Has, q.Selection.Lacks, q.Runtimes)
}

// documentAbsences fills in the documents of workers that have no row of one of the runtimes.
func (q *ListQuery) documentAbsences(ctx context.Context, st *store.Store, rows []store.WorkerSnapshot, byID map[int64]*WorkerItem) error {
	var ids []int64
	runtimes := q.runtimes()
	for i := range rows {
		absent := func(r store.RuntimeFilter) bool {
			reported := byID[rows[i].ID].Reported
			return r.Ref != "" && !slices.ContainsFunc(reported, func(row store.ReportRow) bool { return row.RuntimeRef == r.Ref })
		}
		if rows[i].Identity != nil && slices.ContainsFunc(runtimes, absent) {
			ids = append(ids, rows[i].ID)
		}
	}
	if q.Outcomes {
		var err error
		if ids, err = inquire(ctx, st, ids, byID); err != nil {
			return err
		}
	}
	return inBatches(ctx, st.Workers, ids, true, func(rows []store.WorkerSnapshot) error {
		for i := range rows {
			doc, err := Document(&rows[i].Worker, nil)
			if err != nil {
				byID[rows[i].ID].Undocumented = "unreadable capabilities: " + err.Error()
			}
			byID[rows[i].ID].Document = doc
		}
		return nil
	})
}

// inquire fills in documents that have no more than which definitions the worker looked for, because its rows have the rest.
// It returns the workers that may have more rows than were read.
func inquire(ctx context.Context, st *store.Store, ids []int64, byID map[int64]*WorkerItem) (rest []int64, err error) {
	var whole []int64
	for _, id := range ids {
		if len(byID[id].Reported) < store.MaxListed {
			whole = append(whole, id)
		} else {
			rest = append(rest, id)
		}
	}
	found, err := st.Workers.Inquiries(ctx, whole...)
	for _, in := range found {
		byID[in.Worker].Document = &capability.Document{
			Source: capability.Source(in.Source), Definitions: &capability.Definitions{Read: in.Read},
		}
	}
	return rest, err
}

// label fills in labels and taints.
func label(ctx context.Context, st *store.Store, ids []int64, byID map[int64]*WorkerItem) error {
	labels, err := st.Workers.Labels(ctx, ids)
	if err != nil {
		return err
	}
	for _, l := range labels {
		w := byID[l.Worker]
		if w.Labels == nil {
			w.Labels = map[string]string{}
		}
		w.Labels[l.Key] = l.Value
	}
	taints, err := st.Workers.Taints(ctx, ids)
	for _, t := range taints {
		w := byID[t.Worker]
		w.Taints = append(w.Taints, Taint{t.Key, t.Value, t.Effect})
	}
	return err
}

// listed returns a row's form in a list.
func listed(w *store.WorkerSnapshot, documents bool) WorkerItem {
	item := WorkerItem{
		ID: w.ID, Name: w.Name, Role: RoleName(w.WorkerRole), WorkerRole: w.WorkerRole, Type: string(w.WorkerType), Stale: w.Stale,
		Host: w.Host, Port: w.Port,
		LastHeartbeat: w.LastHeartbeat, HeartbeatInterval: w.HeartbeatInterval, Instance: w.Instance,
		RefreshRequested: w.RefreshRequested, Updated: w.Updated,
	}
	if w.Status != nil {
		item.Status = string(*w.Status)
	}
	if w.Silent != nil {
		item.SilentSeconds = new(w.Silent.Seconds())
	}
	if !w.Documented {
		item.Undocumented = unregistered
	}
	if documents {
		item.Identity, item.Capabilities, item.Meta, item.Created = w.Identity, w.Capabilities, w.Meta, &w.Created
	}
	return item
}

// unregistered explains why nothing is known about a row that another program made.
const unregistered = "not registered by attune"

// addVersion adds an installation. Installations come by name, and the newest first.
func (w *WorkerItem) addVersion(name, version string) {
	if n := len(w.Runtimes); n == 0 || w.Runtimes[n-1] != name {
		w.Runtimes = append(w.Runtimes, name)
	}
	if version == "" || slices.Contains(w.RuntimeVersions[name], version) {
		return
	}
	if w.RuntimeVersions == nil {
		w.RuntimeVersions = map[string][]string{}
	}
	w.RuntimeVersions[name] = append(w.RuntimeVersions[name], version)
}

// bestMatch returns the best installation among rows that meets a requirement: they come
// newest first.
func bestMatch(r *store.RuntimeFilter, rows []store.ReportRow) *Match {
	if r.Ref == "" {
		return nil
	}
	for i := range rows {
		row := &rows[i]
		if row.RuntimeRef == r.Ref && row.Outcome == capability.Available && Satisfies(r, row.Version) {
			return &Match{Version: row.Version, Prerelease: row.Prerelease, Path: row.Path}
		}
	}
	return nil
}

// declare fills in the runtimes of workers that another program registered, from their
// documents, where the database does not do that itself.
func (q *ListQuery) declare(ctx context.Context, st *store.Store, rows []store.WorkerSnapshot, byID map[int64]*WorkerItem) error {
	var ids []int64
	for i := range rows {
		if w := &rows[i]; w.Identity == nil && w.Documented && byID[w.ID].Runtimes == nil {
			ids = append(ids, w.ID)
		}
	}
	if ids == nil {
		return nil
	}
	var names *metadata.Index
	if q.Names != nil {
		var err error
		if names, err = q.Names(ctx); err != nil {
			return err
		}
	}
	return inBatches(ctx, st.Workers, ids, true, func(rows []store.WorkerSnapshot) error {
		for i := range rows {
			item := byID[rows[i].ID]
			doc, err := Document(&rows[i].Worker, names)
			if err != nil {
				item.Undocumented = "unreadable capabilities: " + err.Error()
				continue
			}
			if doc == nil {
				item.Undocumented = unregistered
				continue
			}
			for _, name := range doc.Runtimes {
				item.addVersion(name, "")
				for _, v := range doc.RuntimeVersions[name] {
					item.addVersion(name, v)
				}
			}
		}
		return nil
	})
}
