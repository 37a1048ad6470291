package web

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/answer"
)

const (
	// rows is the number of workers on a page of the fleet.
	rows = 100
	// shownGroups is the number of groups that are shown unless all are asked for.
	shownGroups = answer.FewGroups
	// shownColumns is the number of runtimes that are shown unless all are asked for. With the rows and the groups,
	// they keep the page below 5,000 elements.
	shownColumns = 36
)

// A fleet is the data of the page Fleet.
type fleet struct {
	*filter
	Counts answer.Counts
	// Empty reports whether no worker exists at all.
	Empty bool
	// Groups is nil if the address asks for the hosts only, as an open page does, because the groups take longer.
	Groups *groups
	Matrix *matrix
	// Hidden lists the runtimes that are not shown because no worker has them, and More those that some worker has.
	Hidden, More []answer.Column
	// ShowAll is the address with all runtimes. ShowSome is the one without those that no worker has, if all are shown.
	ShowAll, ShowSome string
	LeftOut           int
	// First and Next are the addresses of the first and the next page. They are empty on the first and the last one.
	First, Next string

	view *view
}

// Narrowed returns the address with a further term of the filter. A filter with faults selects nothing, so that the term
// takes its place.
func (f *fleet) Narrowed(term string) string {
	var terms []string
	if len(f.Faults) == 0 {
		for _, term := range f.terms {
			terms = append(terms, quoted(term))
		}
	}
	return f.view.address("q", strings.Join(append(terms, term), " "))
}

// A matrix is hosts against runtimes.
type matrix struct {
	Runtimes []answer.Column    `json:"runtimes"`
	Items    []answer.MatrixRow `json:"items"`
	After    string             `json:"next"`
	Now      time.Time          `json:"now"`
}

// A workerList is a list of workers as the API returns it.
type workerList struct {
	Items   []answer.WorkerItem `json:"items"`
	Counts  *answer.Counts      `json:"counts"`
	LeftOut int                 `json:"left_out"`
	Now     time.Time           `json:"now"`
}

func loadFleet(v *view) (any, error) {
	f := &fleet{filter: filterOf(v.request), view: v}
	v.live = liveAddress
	all, err := get[workerList](v, "/v1/workers", url.Values{"include": {"labels", "counts"}, "limit": {strconv.Itoa(rows)}})
	if err != nil {
		return nil, err
	}
	f.Counts, f.Empty = *all.Counts, all.Counts.All == 0
	var columns []answer.Column
	if query := v.request.URL.Query(); query.Get("part") == "hosts" {
		for _, ref := range query["show"] {
			columns = append(columns, answer.Column{Ref: ref})
		}
	} else {
		if f.Groups, err = loadGroups(v, all.Items); err != nil {
			return nil, err
		}
		columns = f.columns(v)
		f.Groups.show(columns)
		v.sameAs("the groups", []string{"attune", "workers", "groups", "--by", f.Groups.By}, "/v1/matrix/groups", url.Values{"by": {f.Groups.By}})
	}
	if len(f.Faults) == 0 {
		if err := f.refuse(f.list(v, columns)); err != nil {
			return nil, err
		}
	}
	if len(f.Faults) > 0 {
		v.status, v.live = http.StatusBadRequest, ""
	}
	command, query := f.command(), f.parameters()
	if after := v.request.URL.Query().Get("after"); after != "" {
		command = slices.Insert(command, 3, "--limit", strconv.Itoa(rows), "--after", after)
		query.Set("after", after)
	}
	v.sameAs("the hosts", command, "/v1/matrix", query)
	return f, nil
}

// list asks for the hosts of the filter.
func (f *fleet) list(v *view, columns []answer.Column) error {
	if len(f.terms) > 0 {
		counted, err := get[workerList](v, "/v1/workers", f.parameters("include", "counts", "limit", "1"))
		if err != nil {
			return err
		}
		f.Counts, f.LeftOut = *counted.Counts, counted.LeftOut
	}
	query := f.parameters("limit", strconv.Itoa(rows))
	for _, c := range columns {
		query.Add("runtime", cmp.Or(c.Ref, c.Name))
	}
	after := v.request.URL.Query().Get("after")
	if after != "" {
		query.Set("after", after)
		f.First = v.address()
	}
	m, err := get[matrix](v, "/v1/matrix", query)
	if err != nil {
		return err
	}
	f.Matrix = &m
	if m.After != "" {
		f.Next = v.address("after", m.After)
	}
	return nil
}

// columns returns the runtimes to show: those that some worker has, unless all or certain ones are asked for. A page that
// is open asks for those that it shows, so that its columns stay where they are.
func (f *fleet) columns(v *view) (shown []answer.Column) {
	has := make([]bool, len(f.Groups.Runtimes))
	for i := range f.Groups.Items {
		for j, n := range f.Groups.Items[i].Available {
			has[j] = has[j] || n > 0
		}
	}
	query := v.request.URL.Query()
	all, certain := query.Get("runtimes") == "all", query["show"]
	for i, c := range f.Groups.Runtimes {
		show := all || has[i] && len(shown) < shownColumns
		if certain != nil {
			show = slices.Contains(certain, cmp.Or(c.Ref, c.Name))
		}
		switch {
		case show:
			shown = append(shown, c)
		case has[i]:
			f.More = append(f.More, c)
		default:
			f.Hidden = append(f.Hidden, c)
		}
	}
	if len(shown) == 0 { // nothing is known yet, so that everything is worth a column
		n := min(shownColumns, len(f.Hidden))
		shown, f.Hidden = f.Hidden[:n], f.Hidden[n:]
	}
	slices.SortStableFunc(shown, func(a, b answer.Column) int { return answer.Natural(a.Name, b.Name) })
	f.ShowAll = v.address("runtimes", "all")
	if all {
		f.ShowSome = v.address("runtimes", "")
	}
	return shown
}

// groups is the heat map.
type groups struct {
	answer.MatrixGroups
	// Choices are the ways to group.
	Choices []choice
	Rows    []groupRow
	// More is the number of groups that are not shown, and ShowAll the address with them.
	More    int
	ShowAll string

	// All reports whether all groups are asked for.
	All  bool
	view *view
	age  time.Duration
}

// Age returns how long ago the groups were counted, in words. It is empty if they are new.
func (g *groups) Age() string { return agePast(g.age) }

// agePast returns the age of counts in words. It is empty for new ones.
func agePast(age time.Duration) string {
	if age < 10*time.Second {
		return ""
	}
	return answer.Ago(age)
}

// A choice is a link that selects something.
type choice struct {
	Name, Address string
	// Here reports whether it is selected.
	Here bool
}

// A groupRow is a group of the heat map.
type groupRow struct {
	// ID is the id of the row. A group may be called like the row of hosts without a group.
	ID, Name string
	// Address selects the group's workers. It is empty if no selector does.
	Address string
	Workers int
	Cells   []heat
}

// A heat is the number of workers of a group that have a runtime.
type heat struct {
	Count, Of int
	// Level is 0 for none of them to 5 for all.
	Level int
}

// loadGroups asks for the groups by what the address names, else by a label that makes a few groups, else by role.
func loadGroups(v *view, sample []answer.WorkerItem) (*groups, error) {
	g := &groups{view: v, All: v.request.URL.Query().Get("groups") == "all"}
	labels := answer.LabelsOf(sample)
	by := cmp.Or(v.request.URL.Query().Get("by"), answer.GroupBy(labels))
	var err error
	if g.MatrixGroups, g.age, err = countsBy(v, by); err != nil {
		return nil, err
	}
	names := []string{"role", "status"}
	for _, l := range labels[:min(maxLabels, len(labels))] {
		names = append(names, "label:"+l.Key)
	}
	if !slices.Contains(names, by) {
		names = append(names, by)
	}
	for _, name := range names {
		g.Choices = append(g.Choices, choice{Name: name, Address: v.address("by", name, "groups", ""), Here: name == by})
	}
	return g, nil
}

// maxLabels is the number of labels that the page offers to group by.
const maxLabels = 8

// countsBy returns counts by group with their age. A reader gets those that the API remembers, because new ones read the
// whole fleet. The script of an open page asks for new ones.
func countsBy(v *view, by string) (m answer.MatrixGroups, age time.Duration, err error) {
	r := inner(v.request, http.MethodGet, "/v1/matrix/groups", url.Values{"by": {by}}, nil)
	if v.request.Header.Get("Cache-Control") != "no-cache" {
		r.Header.Set("Cache-Control", "max-stale")
	}
	got, err := v.send(r)
	if err != nil {
		return m, 0, err
	}
	seconds, err := strconv.Atoi(got.header.Get("Age"))
	if err != nil {
		return m, 0, err
	}
	return m, time.Duration(seconds) * time.Second, json.Unmarshal(got.body.Bytes(), &m)
}

// show fills in the rows for the runtimes that are shown.
func (g *groups) show(columns []answer.Column) {
	items := g.Items
	if len(items) > shownGroups && !g.All {
		g.More, g.ShowAll = len(items)-shownGroups, g.view.address("groups", "all")
		items = items[:shownGroups]
	}
	at := make([]int, len(columns))
	for i, c := range columns {
		at[i] = slices.Index(g.Runtimes, c)
	}
	for i := range items {
		row := groupRow{ID: "without", Name: "without", Workers: items[i].Workers, Cells: make([]heat, len(at))}
		if items[i].Group != nil {
			row.Name = *items[i].Group
			row.ID = "g-" + row.Name
			row.Address = g.address(row.Name)
		}
		for j, k := range at {
			row.Cells[j] = heatOf(items[i].Available[k], row.Workers)
		}
		g.Rows = append(g.Rows, row)
	}
	g.Runtimes = columns
}

// hottest is the level of a runtime that all workers of a group have.
const hottest = 5

func heatOf(count, of int) heat {
	h := heat{Count: count, Of: of}
	switch {
	case count == 0 || of == 0:
	case count >= of:
		h.Level = hottest
	default:
		h.Level = 1 + count*(hottest-1)/of
	}
	return h
}

// address returns the address with the workers of a group.
func (g *groups) address(group string) string {
	term := g.By + ":" + group
	if strings.HasPrefix(g.By, "label:") {
		term = g.By + "=" + group
	}
	if g.By == "role" && group != "worker" && group != "sensor" {
		return "" // selectors count a hybrid as both
	}
	return g.view.address("q", quoted(term))
}
