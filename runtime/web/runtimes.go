package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/metadata"
)

// A runtimeTable is the data of the page Runtimes.
type runtimeTable struct {
	Pack  string
	Items []runtimeEntry
	// Counted is how long ago the hosts were counted. It is empty if the counts are new.
	Counted string
	// Retired lists refs that the platform has retired.
	Retired []string
	// First and Next are the addresses of the first and the next page. They are empty on the first and the last one.
	First, Next string
}

// A runtimeEntry is a runtime in the table.
type runtimeEntry struct {
	answer.RuntimeRow
	// Address is the address of its page, from the root.
	Address string
	// Hosts is the number of hosts that have it, and Of the number of hosts.
	Hosts, Of int
	// Has is the address of these hosts, from the root.
	Has string
}

// How returns how hosts verify the runtime, in words.
func (e runtimeEntry) How() string {
	switch e.Verification {
	case answer.VerifiedBySteps, answer.VerifiedByVersions:
		var steps []string
		for _, s := range e.Steps {
			if s.File != "" {
				steps = append(steps, "file "+s.File)
			} else {
				steps = append(steps, shellLine(s.Command))
			}
		}
		return strings.Join(steps, ", ")
	case answer.AlwaysAvailable:
		return "every host has it"
	case answer.Unverified:
		return "not verified: it counts as available"
	case answer.NotVerifiable:
		return "the definition has no verification"
	case answer.Malformed:
		return "the definition is malformed: " + e.Fault
	}
	return string(e.Verification)
}

func loadRuntimes(v *view) (any, error) {
	given := v.request.URL.Query()
	t := &runtimeTable{Pack: given.Get("pack")}
	query := url.Values{"limit": {strconv.Itoa(rows)}}
	command := []string{"attune", "runtimes", "list"}
	same := url.Values{}
	if t.Pack != "" {
		query.Set("pack", t.Pack)
		same.Set("pack", t.Pack)
		command = append(command, option("--pack", t.Pack)...)
	}
	if after := given.Get("after"); after != "" {
		query.Set("after", after)
		same.Set("after", after)
		command = append(append(command, option("--after", given.Get("ref"))...), "--limit", strconv.Itoa(rows))
		t.First = v.address()
	}
	list, err := get[struct {
		runtimeList
		Retired []string `json:"retired"`
	}](v, "/v1/runtimes", query)
	if err != nil {
		return nil, err
	}
	counts, age, err := hostsByRuntime(v)
	if err != nil {
		return nil, err
	}
	t.Counted = agePast(age)
	for _, row := range list.Items {
		n := counts[row.Ref]
		t.Items = append(t.Items, runtimeEntry{
			RuntimeRow: row, Address: "runtimes/" + url.PathEscape(row.Ref), Hosts: n.Count, Of: n.Of, Has: hostsAddress("has:"+row.Ref, ""),
		})
	}
	if t.Retired = list.Retired; list.Next != "" {
		t.Next = v.address("after", list.Next, "ref", list.Items[len(list.Items)-1].Ref)
	}
	v.sameAs("these definitions", command, "/v1/runtimes", same)
	v.sameAs("the hosts that have them", []string{"attune", "workers", "groups"}, "/v1/matrix/groups", url.Values{"by": {"role"}})
	return t, nil
}

// hostsByRuntime counts the hosts that have each runtime, by ref. It also returns the age of the counts.
func hostsByRuntime(v *view) (counts map[string]heat, age time.Duration, err error) {
	groups, age, err := countsBy(v, "role")
	if err != nil {
		return nil, 0, err
	}
	counts = map[string]heat{}
	for _, group := range groups.Items {
		for i, c := range groups.Runtimes {
			n := counts[c.Ref]
			n.Count, n.Of = n.Count+group.Available[i], n.Of+group.Workers
			counts[c.Ref] = n
		}
	}
	return counts, age, nil
}

// hostsAddress returns the address of the fleet with a term of the filter, from the root.
func hostsAddress(term, prereleases string) string {
	query := url.Values{"q": {quoted(term)}}
	if prereleases != "" {
		query.Set("prereleases", prereleases)
	}
	return "?" + query.Encode()
}

// A runtimeDetail is the data of the page of one runtime.
type runtimeDetail struct {
	Ref string
	// Entry is nil for a runtime without a definition, which hosts have reported.
	Entry *runtimeEntry
	// Definition is its JSON.
	Definition string
	Versions   []versionEntry
	// Next is the address of more versions. It is empty at the end.
	Next string
	// Has and Lacks are the addresses of the hosts that have it, and of the others.
	Has, Lacks string
}

// A versionEntry is a version with the number of hosts that have it.
type versionEntry struct {
	answer.VersionCount
	// Address is where its hosts are listed, from the root. It is empty if no term of the filter selects them.
	Address string
}

func loadRuntime(v *view) (any, error) {
	ref := v.request.PathValue("ref")
	path := "/v1/runtimes/" + url.PathEscape(ref)
	query := url.Values{"limit": {strconv.Itoa(rows)}}
	same := url.Values{}
	if after := v.request.URL.Query().Get("after"); after != "" {
		query.Set("after", after)
		same.Set("after", after)
	}
	versions, err := get[struct {
		Items []answer.VersionCount `json:"items"`
		Next  string                `json:"next"`
	}](v, path+"/versions", query)
	if err != nil {
		return nil, err
	}
	r := &runtimeDetail{Ref: ref, Has: hostsAddress("has:"+ref, ""), Lacks: hostsAddress("lacks:"+ref, "")}
	v.title = ref
	for _, count := range versions.Items {
		one := versionEntry{VersionCount: count}
		if count.Version != "" {
			prereleases := ""
			if count.Prerelease {
				prereleases = "1"
			}
			one.Address = hostsAddress("has:"+ref+"@"+count.Version, prereleases)
		}
		r.Versions = append(r.Versions, one)
	}
	if versions.Next != "" {
		r.Next = v.address("after", versions.Next)
	}
	if err := r.define(v, path); err != nil {
		return nil, err
	}
	v.sameAs("which hosts have which version", []string{"attune", "workers", "list", "--has", ref}, path+"/versions", same)
	return r, nil
}

// define asks for the definition, which is missing for runtimes that hosts have reported only.
func (r *runtimeDetail) define(v *view, path string) error {
	def, err := get[json.RawMessage](v, path, nil)
	var missing *problem
	switch {
	case errors.As(err, &missing) && missing.Status == http.StatusNotFound:
		return nil
	case err != nil:
		return err
	}
	stored, err := metadata.ReadStored(def)
	if err != nil {
		return err
	}
	status, err := get[answer.Status](v, "/v1/status", nil)
	if err != nil {
		return err
	}
	r.Entry = &runtimeEntry{RuntimeRow: answer.RuntimeRowOf(&stored, status.Guest)}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // the template escapes
	enc.SetIndent("", "  ")
	if err := enc.Encode(&stored); err != nil {
		return err
	}
	r.Definition = text.String()
	v.sameAs("this definition", []string{"attune", "runtimes", "show", cmp.Or(r.Ref, r.Entry.Name)}, path, nil)
	return nil
}
