package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/store"
)

// The numbers of terms of one selection at most: of names without patterns, IDs and hosts, which the database finds in a
// list, and of others.
const (
	maxPlain = 5_000
	maxTerms = 200
)

// isPlain reports whether a term is a value and not a condition.
func isPlain(key, value string) bool {
	return key == "id" || key == "host" || key == "name" && !strings.ContainsAny(value, "*?")
}

// selection returns the selection that the parameters of a call make, and the runtimes that it
// names. The error has a fault for each wrong parameter.
func (a *API) selection(ctx context.Context, prereleases bool) (store.Selection, []answer.RuntimeTerm, error) {
	query := callOf(ctx).request.URL.Query()
	var selector answer.Selector
	var faults []Fault
	terms, plain := 0, 0
	for _, key := range answer.Keys {
		for _, value := range query[key] {
			if isPlain(key, value) {
				plain++
			} else {
				terms++
			}
			if plain > maxPlain || terms > maxTerms {
				return store.Selection{}, nil, invalid(Fault{Message: fmt.Sprintf(
					"a selection must have at most %d names without patterns, ids and hosts, and at most %d other terms", maxPlain, maxTerms)})
			}
			if err := selector.Add(key, value, prereleases); err != nil {
				faults = append(faults, Fault{Parameter: key, Message: textOf(err)})
			}
		}
	}
	selection := selector.Selection
	if len(selector.Has)+len(selector.Lacks) > 0 {
		var err error
		if faults, err = a.resolve(ctx, &selector, &selection, faults); err != nil {
			return selection, nil, err
		}
	}
	if len(faults) > 0 {
		return selection, nil, invalid(faults...)
	}
	return selection, selector.Runtimes(), nil
}

// named returns the selection of a call that changes workers, which may have IDs in its body. It must have a term:
// nothing must not mean all.
func (a *API) named(ctx context.Context, prereleases bool, ids ...int64) (store.Selection, error) {
	query := callOf(ctx).request.URL.Query()
	if len(ids) > maxPlain {
		return store.Selection{}, invalid(Fault{Pointer: "/ids", Message: fmt.Sprintf("must have at most %d ids", maxPlain)})
	}
	if len(ids) == 0 && !slices.ContainsFunc(answer.Keys, query.Has) {
		return store.Selection{}, invalid(Fault{Message: "must have a term that selects workers; name=* selects all"})
	}
	if err := callOf(ctx).checkMatch(false); err != nil {
		return store.Selection{}, err
	}
	selection, _, err := a.selection(ctx, prereleases)
	selection.IDs = append(selection.IDs, ids...)
	return selection, err
}

// resolve finds the runtimes of a selector, and adds a fault for each that does not exist.
func (a *API) resolve(ctx context.Context, selector *answer.Selector, to *store.Selection, faults []Fault) ([]Fault, error) {
	defs, err := a.definitions(ctx)
	if err != nil {
		return faults, err
	}
	for _, list := range []struct {
		name  string
		terms []answer.RuntimeTerm
		to    *[]store.RuntimeFilter
	}{{"has", selector.Has, &to.Has}, {"lacks", selector.Lacks, &to.Lacks}} {
		for i := range list.terms {
			err := list.terms[i].Resolve(ctx, a.store, defs.index)
			if err != nil {
				if faults, err = addFaults(faults, unknownRuntime(list.name, err)); err != nil {
					return faults, err
				}
			}
			*list.to = append(*list.to, list.terms[i].RuntimeFilter)
		}
	}
	return faults, nil
}

// unknownRuntime returns the problem of a parameter that names a runtime that does not exist.
// Other errors it returns as they are.
func unknownRuntime(parameter string, err error) error {
	var unknown *answer.UnknownRuntimeError
	if !errors.As(err, &unknown) {
		return err
	}
	p := problemOf(err)
	p.faults[0].Parameter = parameter
	return p
}

// addFaults adds the faults of a wrong request to others. It returns any other error.
func addFaults(faults []Fault, err error) ([]Fault, error) {
	var p *problem
	if !errors.As(err, &p) || p.kind != InvalidRequest {
		return faults, err
	}
	return append(faults, p.faults...), nil
}
