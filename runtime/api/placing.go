package api

import (
	"context"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/requirement"
)

// Place implements the operation place.
func (a *API) Place(ctx context.Context, r server.PlaceRequestObject) (server.PlaceResponseObject, error) {
	found, err := a.place(ctx, r.Body, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	return server.Place200JSONResponse(*found), nil
}

// place resolves a requirement and answers which workers satisfy it.
func (a *API) place(ctx context.Context, r *placement.Requirement, limit int) (*placement.Answer, error) {
	limit, err := limitOf(callOf(ctx), limit, defaultPlaced)
	if err != nil {
		return nil, err
	}
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	resolved, err := r.Resolve(defs.index)
	if err != nil {
		return nil, err
	}
	return answer.Place(ctx, a.store, &resolved, limit)
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
	}, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	return server.ExplainFleet200JSONResponse(*found), nil
}
