package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/requirement"
)

// shownPlaced is the number of hosts that fit which are shown, and mostPlaced the number after a click.
const (
	shownPlaced = 20
	mostPlaced  = 1000
)

// A placing is the data of the page Why not.
type placing struct {
	// Text is the requirement as it was written, and Subject the action or the sensor whose requirement it is.
	Text, Subject string
	Faults        []string
	// Note says what may surprise in the subject's requirement.
	Note string
	// Answer is nil until something is asked.
	Answer *placement.Answer
	Helps  []placeHelp
	// ShowMore is the address with more of the hosts that fit, and ShowFewer the one with the first. They are empty if that
	// is what is shown.
	ShowMore, ShowFewer string

	names map[string]string
}

// A placeHelp is what would help, with the address that asks the relaxed requirement.
type placeHelp struct {
	placement.Help
	Address string
}

// Why returns reasons in words.
func (p *placing) Why(reasons []placement.Reason) string { return placement.Why(reasons, p.Name) }

// Actual returns what a host has in place of what is wanted.
func (p *placing) Actual(reasons []placement.Reason) string { return placement.Actual(reasons) }

// Name returns the name by which people know a runtime.
func (p *placing) Name(ref string) string {
	if name := p.names[ref]; name != "" {
		return name
	}
	return ref
}

// Weighted reports whether hosts are ordered by preferences.
func (p *placing) Weighted() bool {
	for i := range p.Answer.Placed {
		if p.Answer.Placed[i].Weight != 0 {
			return true
		}
	}
	return false
}

// More returns the number of hosts that fit and are not shown.
func (p *placing) More() int { return p.Answer.Fit - len(p.Answer.Placed) }

// Runtime returns the runtime of the first reason that is about one, for the address of a host's evidence.
func (p *placing) Runtime(reasons []placement.Reason) string {
	for _, r := range reasons {
		if r.Runtime != "" {
			return r.Runtime
		}
	}
	return ""
}

func loadPlacing(v *view) (any, error) {
	given := v.request.URL.Query()
	p := &placing{Text: strings.TrimSpace(given.Get("q"))}
	r, command, err := p.requirement(v)
	if err != nil || r == nil {
		if len(p.Faults) > 0 {
			v.status = http.StatusBadRequest
		}
		return p, err
	}
	limit := shownPlaced
	if given.Get("show") == "more" {
		limit = mostPlaced
		command = append(command, "--limit", strconv.Itoa(limit))
		p.ShowFewer = v.address("show", "")
	}
	body, err := r.MarshalJSON()
	if err != nil {
		return nil, err
	}
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	p.Answer = new(placement.Answer)
	var refusal *problem
	switch err := v.asking().ask(http.MethodPost, "/v1/place", query, json.RawMessage(body), p.Answer); {
	case errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest:
		v.status, p.Answer = refusal.Status, nil
		for _, fault := range refusal.Faults {
			p.Faults = append(p.Faults, fault.Message)
		}
	case err != nil:
		return nil, err
	default:
		if p.More() > 0 && limit < mostPlaced {
			p.ShowMore = v.address("show", "more")
		}
		for _, help := range p.Answer.Helps {
			one := placeHelp{Help: help}
			if line, ok := strings.CutPrefix(help.Command, "attune place "); ok {
				one.Address = "?" + url.Values{"q": {line}}.Encode()
				one.Command = v.web.command("attune") + " place " + line
			}
			p.Helps = append(p.Helps, one)
		}
		if p.names, err = runtimeNames(v); err != nil {
			return nil, err
		}
	}
	v.samePost("this answer", command, "/v1/place", query, body)
	return p, nil
}

// requirement returns what is asked, and the command that asks it. It returns nil if nothing is asked, or if it has
// faults.
func (p *placing) requirement(v *view) (r *placement.Requirement, command []string, err error) {
	given := v.request.URL.Query()
	args := placeArguments(p.Text)
	if kind, ref := subjectOf(args); ref != "" {
		given.Set(kind, ref)
		p.Text = ""
	}
	for kind, path := range map[string]string{"action": "/v1/actions", "sensor": "/v1/sensors"} {
		ref := given.Get(kind)
		if ref == "" {
			continue
		}
		p.Subject = kind + " " + ref
		list, err := get[subjectList](v, path, url.Values{"ref": {ref}})
		if err != nil {
			return nil, nil, err
		}
		if len(list.Items) == 0 {
			return nil, nil, &problem{Status: http.StatusNotFound, Detail: "no " + kind + " has this ref"}
		}
		subject := &list.Items[0]
		p.Note = subject.Note
		if subject.Fault != "" {
			p.Faults = append(p.Faults, subject.Fault)
			return nil, nil, nil
		}
		if p.Text == "" {
			p.Text = strings.TrimPrefix(placement.Command(subject.Requirement), "attune place ")
		}
		return subject.Requirement, []string{"attune", "place", "--" + kind, ref}, nil
	}
	if p.Text == "" {
		return nil, nil, nil
	}
	terms, err := placeTerms(args)
	var written requirement.Requirement
	if err == nil {
		written, err = terms.Requirement()
	}
	if err != nil {
		p.Faults = append(p.Faults, err.Error())
		return nil, nil, nil
	}
	return &written, append([]string{"attune", "place"}, args...), nil
}

// asking returns the view for questions that the API takes by POST because they have a body. They change nothing, so that
// links of other sites may lead to their pages.
func (v *view) asking() *view {
	other := *v
	other.request = v.request.Clone(v.request.Context())
	other.request.Header.Del("Origin")
	other.request.Header.Del("Sec-Fetch-Site")
	return &other
}

// samePost adds an answer that a POST of the API gives too.
func (v *view) samePost(what string, command []string, path string, query url.Values, body []byte) {
	var text bytes.Buffer
	if err := json.Compact(&text, body); err != nil {
		text.Write(body)
	}
	v.same = append(v.same, equivalent{
		What: what, Command: v.web.line(command),
		Curl: `curl -H "Authorization: Bearer $ATTUNE_TOKEN" --json ` + shellLine([]string{text.String()}) +
			` "$ATTUNE_SERVER` + path + "?" + query.Encode() + `"`,
	})
}

// runtimeNames returns the names of runtimes by ref, without names that several have.
func runtimeNames(v *view) (map[string]string, error) {
	list, err := get[runtimeList](v, "/v1/runtimes", url.Values{"limit": {"1000"}})
	if err != nil {
		return nil, err
	}
	times := map[string]int{}
	for i := range list.Items {
		times[list.Items[i].Name]++
	}
	names := map[string]string{}
	for i := range list.Items {
		if row := &list.Items[i]; times[row.Name] == 1 {
			names[row.Ref] = row.Name
		}
	}
	return names, nil
}

// A runtimeList is a list of runtimes as the API returns it.
type runtimeList struct {
	Items []answer.RuntimeRow `json:"items"`
	Next  string              `json:"next"`
}

// A subjectList is a list of actions or sensors as the API returns it.
type subjectList struct {
	Fleet int                   `json:"fleet"`
	Items []answer.SubjectCount `json:"items"`
	Next  string                `json:"next"`
}
