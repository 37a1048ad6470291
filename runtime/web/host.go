package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
)

// A host is the data of the page Host.
type host struct {
	Worker answer.WorkerItem
	State  state
	// Heartbeat is the last heartbeat. It is nil without any.
	Heartbeat *time.Time
	Now       time.Time
	Runtimes  []hostRuntime
	// Chosen explains the runtime that the address names. It is nil if the address names none.
	Chosen  *answer.Explanation
	History []answer.Change
	// Older is the address of the next page of the history, and Newest the one of the first. They are empty on the last and the
	// first page.
	Older, Newest string
	// Taint is the taint that was to be set, and Fault what is wrong with it.
	Taint, Fault string
}

// A hostRuntime is a runtime on a host.
type hostRuntime struct {
	answer.Column
	State answer.CellState
	Cell  cell
	// Reported is what the host last reported about it: the installations, newest first, and what does not count.
	Reported []answer.ReportedRuntime
	// Address shows the evidence.
	Address string
	// Here reports whether the evidence is shown.
	Here bool
}

// Word returns the state in words, unless its version says it.
func (r hostRuntime) Word() string {
	if r.State == answer.CellAvailable {
		return ""
	}
	return glyphs[r.State].label
}

// Reason returns why nothing was reported about the runtime.
func (r hostRuntime) Reason() string {
	switch r.State {
	case answer.CellAbsent:
		return "not found in the folders of its PATH"
	case answer.CellUnasked:
		return "the host did not look for it"
	}
	return ""
}

// ordered lists the states in the order of the page.
var ordered = []answer.CellState{
	answer.CellAvailable, answer.CellUnknown, answer.CellDiscounted, answer.CellAbsent, answer.CellUnasked,
}

// shownHistory is the number of changes that the page of a host shows.
const shownHistory = 50

func loadHost(v *view) (any, error) {
	id := v.request.PathValue("id")
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || n < 1 || strconv.FormatInt(n, 10) != id {
		return nil, &problem{Status: http.StatusNotFound, Detail: "no host has this address"}
	}
	path := "/v1/workers/" + id
	h := new(host)
	var err error
	if h.Worker, err = get[answer.WorkerItem](v, path, nil); err != nil {
		return nil, err
	}
	v.title, v.live = h.Worker.Name, liveAddress
	h.State = stateOf(h.Worker.Status, h.Worker.Stale, h.Worker.Operations)
	if err := h.load(v, id, path); err != nil {
		return nil, err
	}
	v.sameAs("this host", []string{"attune", "workers", "show", "id:" + id}, path, nil)
	v.sameAs("its runtimes", []string{"attune", "workers", "show", "id:" + id}, path+"/runtimes", nil)
	if h.Chosen != nil {
		written := cmp.Or(h.Chosen.Ref, h.Chosen.Name)
		query := url.Values{"runtime": {written}}
		if v.principal.May(api.Operate) {
			query.Set("include", "evidence")
		}
		v.sameAs("why "+h.Chosen.Name, []string{"attune", "explain", "id:" + id, written}, path+"/explain", query)
	}
	if err := h.loadHistory(v, id, path); err != nil {
		return nil, err
	}
	if given := v.request.URL.Query(); given.Has("taint") {
		h.Taint = given.Get("taint")
		if _, err := answer.ParseTaintOperation(h.Taint); err != nil {
			h.Fault = err.Error()
			v.status, v.live = http.StatusBadRequest, ""
		}
	}
	return h, nil
}

// load asks for what the host reported.
func (h *host) load(v *view, id, path string) error {
	reported, err := get[struct {
		Items []answer.ReportedRuntime `json:"items"`
		Now   time.Time                `json:"now"`
	}](v, path+"/runtimes", nil)
	if err != nil {
		return err
	}
	h.Now, h.Heartbeat = reported.Now, h.Worker.LastHeartbeat
	m, err := get[matrix](v, "/v1/matrix", url.Values{"id": {id}})
	if err != nil {
		return err
	}
	h.arrange(v, reported.Items, &m)
	if chosen := v.request.URL.Query().Get("runtime"); chosen != "" {
		query := url.Values{"runtime": {chosen}}
		if v.principal.May(api.Operate) {
			query.Set("include", "evidence")
		}
		e, err := get[answer.Explanation](v, path+"/explain", query)
		if err != nil {
			return err
		}
		h.Chosen = &e
	}
	return nil
}

// loadHistory asks for a page of the history.
func (h *host) loadHistory(v *view, id, path string) error {
	given := v.request.URL.Query()
	query, same := url.Values{"limit": {strconv.Itoa(shownHistory)}}, url.Values{}
	command := []string{"attune", "workers", "history", "id:" + id}
	if after := given.Get("after"); after != "" {
		query.Set("after", after)
		same = query
		command = append(command, "--before", given.Get("before"), "--limit", strconv.Itoa(shownHistory))
		h.Newest = v.address() + "#history-title"
		v.live = ""
	}
	history, err := get[changeList](v, path+"/history", query)
	if err != nil {
		return err
	}
	if h.History = history.Items; history.Next != "" {
		last := strconv.FormatInt(history.Items[len(history.Items)-1].ID, 10)
		h.Older = v.address("after", history.Next, "before", last) + "#history-title"
	}
	v.sameAs("its history", command, path+"/history", same)
	return nil
}

// arrange makes a row of each runtime: those that the host has first.
func (h *host) arrange(v *view, reported []answer.ReportedRuntime, m *matrix) {
	chosen := v.request.URL.Query().Get("runtime")
	add := func(c answer.Column, found answer.Cell) {
		written := cmp.Or(c.Ref, c.Name)
		row := hostRuntime{Column: c, State: found.State, Cell: cellOf(found), Here: chosen == written}
		row.Address = v.address("runtime", written) + "#evidence"
		for i := range reported {
			if r := &reported[i]; r.Ref == c.Ref && (c.Ref != "" || r.Name == c.Name) {
				row.Reported = append(row.Reported, *r)
			}
		}
		h.Runtimes = append(h.Runtimes, row)
	}
	known := map[string]bool{}
	for i, c := range m.Runtimes {
		known[c.Ref] = true
		found := answer.Cell{State: answer.CellUnasked}
		if len(m.Items) == 1 { // the host may be deleted between two questions
			found = m.Items[0].Cells[i]
		}
		add(c, found)
	}
	for i := range reported { // without a definition
		r := &reported[i]
		if key := cmp.Or(r.Ref, " "+r.Name); !known[key] {
			known[key] = true
			state := answer.CellDiscounted
			if r.Outcome == "available" {
				state = answer.CellAvailable
			}
			add(answer.Column{Ref: r.Ref, Name: r.Name}, answer.Cell{State: state, Version: r.Version})
		}
	}
	slices.SortStableFunc(h.Runtimes, func(a, b hostRuntime) int {
		return cmp.Compare(slices.Index(ordered, a.State), slices.Index(ordered, b.State))
	})
}
