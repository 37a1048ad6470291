package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/answer"
)

// A changeList is a page of the history as the API returns it.
type changeList struct {
	Items []answer.Change `json:"items"`
	Next  string          `json:"next"`
	Now   time.Time       `json:"now"`
}

// A changes is the data of the page Changes.
type changes struct {
	Name, Role, Runtime, Since string
	Faults                     []string
	Items                      []answer.Change
	Now                        time.Time
	// Filtered reports whether there is a filter.
	Filtered bool
	// Older is the address of the next page, and Newest the one of the first. They are empty on the last and the first page.
	Older, Newest string
}

func loadChanges(v *view) (any, error) {
	given := v.request.URL.Query()
	c := &changes{Name: given.Get("name"), Role: given.Get("role"), Runtime: given.Get("runtime"), Since: given.Get("since")}
	query := url.Values{}
	for name, value := range map[string]string{"name": c.Name, "role": c.Role, "runtime": c.Runtime, "since": c.Since} {
		if value != "" {
			query.Set(name, value)
			c.Filtered = true
		}
	}
	same := url.Values{}
	for name := range query {
		same[name] = query[name]
	}
	before := given.Get("before")
	if before != "" {
		query.Set("before", before)
		c.Newest = v.address()
	} else {
		v.live = liveAddress
	}
	query.Set("limit", strconv.Itoa(rows))
	list, err := get[changeList](v, "/v1/changes", query)
	var p *problem
	switch {
	case errors.As(err, &p) && p.Status == http.StatusBadRequest && before == "":
		v.status, v.live = p.Status, ""
		for _, fault := range p.Faults {
			c.Faults = append(c.Faults, fault.Parameter+": "+fault.Message)
		}
	case err != nil:
		return nil, err
	}
	c.Items, c.Now = list.Items, list.Now
	if list.Next != "" {
		c.Older = v.address("before", strconv.FormatInt(list.Items[len(list.Items)-1].ID, 10))
	}
	var page []string
	if before != "" {
		page = []string{"--before", before, "--limit", strconv.Itoa(rows)}
		same.Set("before", before)
	}
	v.sameAs("these changes", c.command(page...), "/v1/changes", same)
	c.Since = ""
	same.Del("since")
	same.Del("before")
	same.Set("wait", "30s")
	v.sameAs("the next ones", c.command("--follow"), "/v1/changes", same)
	c.Since = given.Get("since")
	return c, nil
}

// command returns the command that lists the changes, with further flags.
func (c *changes) command(flags ...string) []string {
	command := []string{"attune", "workers", "history"}
	for _, flag := range [][2]string{{"--role", c.Role}, {"--runtime", c.Runtime}, {"--since", c.Since}} {
		if flag[1] != "" {
			command = append(command, option(flag[0], flag[1])...)
		}
	}
	command = append(command, flags...)
	if strings.HasPrefix(c.Name, "-") {
		command = append(command, "--")
	}
	if c.Name != "" {
		command = append(command, c.Name)
	}
	return command
}
