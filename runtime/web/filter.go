package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
)

// A filter is the line that selects workers, in the syntax of the command line's selectors.
type filter struct {
	// Text is the line as it was written.
	Text        string
	Prereleases bool
	// Faults says what is wrong with the line.
	Faults []string

	terms []string
	query url.Values
}

// filterOf reads the filter in the address of a page.
func filterOf(r *http.Request) *filter {
	values := r.URL.Query()
	f := &filter{Text: values.Get("q"), Prereleases: values.Get("prereleases") != "", query: url.Values{}}
	f.terms = words(f.Text)
	for _, term := range f.terms {
		key, value, err := answer.SplitTerm(term)
		switch {
		case err != nil:
			f.Faults = append(f.Faults, err.Error())
		case strings.TrimSpace(value) == "":
			f.Faults = append(f.Faults, (&answer.TermError{Term: term, Key: key}).Error())
		default:
			f.query.Add(key, value)
		}
	}
	if f.Prereleases {
		f.query.Set("prereleases", "true")
	}
	return f
}

// parameters returns the parameters of the API for the filter, with further ones: pairs of a name and a value.
func (f *filter) parameters(more ...string) url.Values {
	values := url.Values{}
	for key, list := range f.query {
		values[key] = append([]string{}, list...)
	}
	for i := 0; i+1 < len(more); i += 2 {
		values.Add(more[i], more[i+1])
	}
	return values
}

// command returns the command that lists the workers of the filter.
func (f *filter) command() []string {
	command := []string{"attune", "workers", "list"}
	if f.Prereleases {
		command = append(command, "--prereleases")
	}
	if slices.ContainsFunc(f.terms, func(term string) bool { return strings.HasPrefix(term, "-") }) {
		command = append(command, "--")
	}
	return append(command, f.terms...)
}

// refuse keeps the faults of a request that the API refused. It returns other errors.
func (f *filter) refuse(err error) error {
	var p *problem
	if !errors.As(err, &p) || p.Status != http.StatusBadRequest || len(p.Faults) == 0 {
		return err
	}
	for _, fault := range p.Faults {
		if fault.Parameter == "after" || fault.Parameter == "by" {
			return err
		}
		text := fault.Message
		if fault.Parameter != "" {
			text = fault.Parameter + ": " + text
		}
		f.Faults = append(f.Faults, text)
	}
	return nil
}

// words splits a line at spaces outside of quotes, as a shell does, so that the terms of a command line can be
// pasted. A quote that does not end runs to the end of the line.
func words(line string) (found []string) {
	var word strings.Builder
	var quote rune
	inside := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			if inside {
				found = append(found, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if inside {
		found = append(found, word.String())
	}
	return found
}

// quoted returns a term as words reads it.
func quoted(term string) string {
	if !strings.ContainsAny(term, " \t\r\n'\"") && term != "" {
		return term
	}
	if !strings.Contains(term, "'") {
		return "'" + term + "'"
	}
	if !strings.Contains(term, `"`) {
		return `"` + term + `"`
	}
	return "'" + strings.ReplaceAll(term, "'", `'"'"'`) + "'"
}

// address returns the address of the same page with other parameters: pairs of a name and a value, where an empty value
// removes the parameter. The page of the list and its columns are not kept.
func (v *view) address(pairs ...string) string {
	values := v.request.URL.Query()
	values.Del("after")
	values.Del("before")
	values.Del("ref")
	values.Del("show")
	values.Del("part")
	for i := 0; i+1 < len(pairs); i += 2 {
		if values.Del(pairs[i]); pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	return "?" + values.Encode()
}
