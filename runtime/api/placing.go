package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// Place implements the operation place.
func (a *API) Place(ctx context.Context, r server.PlaceRequestObject) (server.PlaceResponseObject, error) {
	found, err := a.place(ctx, r.Body, r.Params.Limit, slices.Contains(r.Params.Include, server.Hosts))
	if err != nil {
		return nil, err
	}
	return server.Place200JSONResponse(*found), nil
}

// place resolves a requirement and answers which workers satisfy it, with the verdict of each host
// if wanted.
func (a *API) place(ctx context.Context, r *placement.Requirement, limit int, hosts bool) (*placement.Answer, error) {
	switch given := callOf(ctx).request.URL.Query().Has("limit"); {
	case !given:
		limit = defaultPlaced
	case limit < 0 || limit > maxLimit:
		return nil, wrong("limit", "must be from 0 to %d, got %d", maxLimit, limit)
	}
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	resolved, err := r.Resolve(defs.index)
	if err != nil {
		return nil, err
	}
	if hosts {
		return answer.PlaceHosts(ctx, a.store, &resolved, limit)
	}
	return answer.Place(ctx, a.store, &resolved, limit)
}

// WhatIf implements the operation whatIf.
func (a *API) WhatIf(ctx context.Context, r server.WhatIfRequestObject) (server.WhatIfResponseObject, error) {
	if n := len(r.Body.Changes); n < 1 || n > maxChanges {
		return nil, invalid(Fault{Pointer: "/changes", Message: fmt.Sprintf("must have from 1 to %d changes, got %d", maxChanges, n)})
	}
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	changes := make([]placement.Change, len(r.Body.Changes))
	var faults []Fault
	for i, text := range r.Body.Changes {
		change, err := placement.ParseChange(text)
		if err == nil {
			changes[i], err = change.Resolve(defs.index)
		}
		if err != nil {
			faults = append(faults, Fault{Pointer: "/changes/" + strconv.Itoa(i), Message: err.Error()})
		}
	}
	if len(faults) > 0 {
		return nil, invalid(faults...)
	}
	found, err := answer.WhatIfSubjects(ctx, a.store, defs.index, store.SubjectQuery{Pack: r.Body.Pack}, changes)
	var unknown answer.UnknownWorkers
	if errors.As(err, &unknown) {
		return nil, invalid(Fault{Pointer: "/changes", Message: unknown.Error()})
	}
	if err != nil {
		return nil, err
	}
	return server.WhatIf200JSONResponse(*found), nil
}

// maxChanges bounds the changes of one question.
const maxChanges = 100

// ListActions implements the operation listActions.
func (a *API) ListActions(ctx context.Context, r server.ListActionsRequestObject) (server.ListActionsResponseObject, error) {
	q := store.SubjectQuery{Kind: store.ActionSubject, Pack: r.Params.Pack, Ref: r.Params.Ref}
	list, err := a.subjects(ctx, q, r.Params.Limit, r.Params.After)
	return server.ListActions200JSONResponse(list), err
}

// ListSensors implements the operation listSensors.
func (a *API) ListSensors(ctx context.Context, r server.ListSensorsRequestObject) (server.ListSensorsResponseObject, error) {
	q := store.SubjectQuery{Kind: store.SensorSubject, Pack: r.Params.Pack, Ref: r.Params.Ref}
	list, err := a.subjects(ctx, q, r.Params.Limit, r.Params.After)
	return server.ListSensors200JSONResponse(list), err
}

// subjects returns a page of the actions or the sensors. The position in its cursors is the number
// of workers that fit the last one, and its ref.
func (a *API) subjects(ctx context.Context, q store.SubjectQuery, limit int, after string) (list server.SubjectList, err error) {
	c := callOf(ctx)
	if limit, err = limitOf(c, limit); err != nil {
		return list, err
	}
	position, err := c.position(after)
	if err != nil {
		return list, err
	}
	defs, err := a.definitions(ctx)
	if err != nil {
		return list, err
	}
	counts, err := answer.CountSubjects(ctx, a.store, defs.index, q)
	if err != nil {
		return list, err
	}
	list.Fleet, list.Items = counts.Fleet, counts.Subjects
	if position != "" {
		text, ref, _ := strings.Cut(position, " ")
		fit, err := strconv.Atoi(text)
		if err != nil {
			return list, wrong("after", "must be a cursor of this query, got %.100q", after)
		}
		begin := slices.IndexFunc(list.Items, func(s answer.SubjectCount) bool { return s.Fit > fit || s.Fit == fit && s.Ref > ref })
		if begin < 0 {
			begin = len(list.Items)
		}
		list.Items = list.Items[begin:]
	}
	if len(list.Items) > limit {
		list.Items = list.Items[:limit]
		last := &list.Items[limit-1]
		list.Next = c.next(strconv.Itoa(last.Fit) + " " + last.Ref)
	}
	if err := c.tag(list.Items, list.Fleet, list.Next); err != nil {
		return list, err
	}
	list.Now, err = a.store.Now(ctx)
	return list, err
}

// ExplainFleet implements the operation explainFleet.
func (a *API) ExplainFleet(ctx context.Context, r server.ExplainFleetRequestObject) (server.ExplainFleetResponseObject, error) {
	term, err := answer.ParseRuntimeTerm(r.Params.Runtime, r.Params.Prereleases)
	if err != nil {
		return nil, err
	}
	found, err := a.place(ctx, &placement.Requirement{
		Role:        requirement.Role(r.Params.Role),
		Runtimes:    []requirement.Runtime{{Name: term.Written, Constraint: term.Constraint}},
		Prereleases: r.Params.Prereleases,
	}, r.Params.Limit, false)
	if err != nil {
		return nil, err
	}
	return server.ExplainFleet200JSONResponse(*found), nil
}
