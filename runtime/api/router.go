package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/schema/document"
)

// A router finds the operation of a request.
type router struct {
	mux *http.ServeMux
}

func newRouter(mux *http.ServeMux) router { return router{mux} }

// find returns the operation of a request. It returns nil and the methods that the path has, if
// it has any, for other requests.
func (rt router) find(r *http.Request) (op *operation, allowed []string) {
	if op := rt.operation(r); op != nil {
		return op, nil
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := *r
		other.Method = method
		if rt.operation(&other) != nil {
			allowed = append(allowed, method)
			if method == http.MethodGet {
				allowed = append(allowed, http.MethodHead)
			}
		}
	}
	return nil, allowed
}

func (rt router) operation(r *http.Request) *operation {
	// ServeMux would redirect to the clean path, outside of the prefix under which the API is mounted.
	if clean := path.Clean(r.URL.Path); clean != r.URL.Path {
		return nil
	}
	_, pattern := rt.mux.Handler(r)
	return spec().operations[pattern]
}

// separated returns a URL in which the values of a parameter stand each by itself. Where only some words are allowed, commas may
// stand between them.
func (o *operation) separated(u *url.URL) *url.URL {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil { // a fault
		return u
	}
	changed := false
	for name, values := range query {
		a := o.parameters[name]
		if joined := strings.Join(values, ","); a.repeated && len(a.values) > 0 && strings.Count(joined, ",") >= len(values) {
			query[name], changed = strings.Split(joined, ","), true
		}
	}
	if !changed {
		return u
	}
	apart := *u
	apart.RawQuery = query.Encode()
	return &apart
}

// faults returns a fault for each parameter of the query that the operation does not have, or that
// has a value that it does not allow.
func (o *operation) faults(r *http.Request) (faults []Fault) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return []Fault{{Message: "the query must be percent-encoded: " + err.Error()}}
	}
	for _, name := range sortedKeys(query) {
		if message := o.fault(name, query[name]); message != "" {
			faults = append(faults, Fault{Parameter: name, Message: message})
		}
	}
	return faults
}

// fault returns what is wrong with a parameter, or an empty text.
func (o *operation) fault(name string, values []string) string {
	a, known := o.parameters[name]
	names := sortedKeys(o.parameters)
	switch {
	case !known && len(names) == 0:
		return "unknown parameter"
	case !known:
		return "unknown parameter; known are " + strings.Join(names, ", ")
	case !a.repeated && len(values) > 1:
		return "must be given once"
	}
	for _, value := range values {
		if len(a.values) > 0 && !slices.Contains(a.values, value) {
			return fmt.Sprintf("must be one of %s, got %.100q", strings.Join(a.values, ", "), value)
		}
		if a.filled && value == "" {
			return "must not be empty"
		}
		if _, err := strconv.ParseBool(value); a.kind == "boolean" && err != nil {
			return fmt.Sprintf("must be true or false, got %.100q", value)
		}
		if n, err := strconv.ParseInt(value, 10, 64); a.kind == "integer" {
			switch {
			case err != nil:
				return fmt.Sprintf("%s, got %.100q", wholeNumber, value)
			case a.least != nil && a.most != nil && (n < *a.least || n > *a.most):
				return fmt.Sprintf("must be from %d to %d, got %d", *a.least, *a.most, n)
			case a.least != nil && n < *a.least:
				return fmt.Sprintf("must be at least %d, got %d", *a.least, n)
			}
		}
	}
	return ""
}

const wholeNumber = "must be a whole number of at most 64 bits"

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// unknownKeys returns a fault for each key of a document that its shape does not have. at is the pointer to the document.
func (s *shape) unknownKeys(text json.RawMessage, at string) (faults []Fault) {
	if s == nil {
		return nil
	}
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case s.Items != nil && json.Unmarshal(text, &list) == nil:
		for i := range list {
			faults = append(faults, s.Items.unknownKeys(list[i], document.Index(at, i))...)
		}
	case s.Properties != nil && json.Unmarshal(text, &object) == nil:
		for _, key := range sortedKeys(object) {
			pointer := document.Child(at, key)
			if property, known := s.Properties[key]; known {
				faults = append(faults, property.unknownKeys(object[key], pointer)...)
			} else if s.AdditionalProperties == false {
				faults = append(faults, Fault{Pointer: pointer, Message: "unknown key; known are " + strings.Join(sortedKeys(s.Properties), ", ")})
			}
		}
	}
	return faults // of another type: the handler finds it
}
