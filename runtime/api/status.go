package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/schema/store"
)

// GetStatus implements the operation getStatus.
func (a *API) GetStatus(ctx context.Context, _ server.GetStatusRequestObject) (server.GetStatusResponseObject, error) {
	counts, err := answer.CountWorkers(ctx, a.store, store.Selection{})
	if err != nil {
		return nil, err
	}
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	guest := a.store.Layout().Guest()
	s := server.GetStatus200JSONResponse{
		Program: attune.Version, Guest: guest, Workers: *counts, Definitions: len(defs.list), Malformed: []server.MalformedDefinition{},
		Streams: a.limiter.streams(),
	}
	for i := range defs.list {
		if fault := cmp.Or(answer.FaultOf(&defs.list[i], guest), defs.list[i].Contradictions()); fault != nil {
			s.Malformed = append(s.Malformed, server.MalformedDefinition{Ref: defs.list[i].Ref, Fault: fault.Error()})
		}
	}
	if v, err := a.hub.after(0); err == nil {
		s.LastChange = v.last
	}
	s.Now, err = a.store.Now(ctx)
	return s, err
}

// GetHealth implements the operation getHealth.
func (a *API) GetHealth(context.Context, server.GetHealthRequestObject) (server.GetHealthResponseObject, error) {
	return server.GetHealth200TextResponse("ok\n"), nil
}

// readyWithin is how long the database may take until the server is not ready.
const readyWithin = 2 * time.Second

// GetReadiness implements the operation getReadiness.
func (a *API) GetReadiness(ctx context.Context, _ server.GetReadinessRequestObject) (server.GetReadinessResponseObject, error) {
	if _, err := a.hub.after(0); err != nil {
		return server.GetReadiness503TextResponse("the server does not follow the changes\n"), nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if _, err := a.store.Now(ctx); err != nil {
		a.cfg.Logger.WarnContext(ctx, "not ready", "error", err)
		return server.GetReadiness503TextResponse("the database does not answer\n"), nil
	}
	return server.GetReadiness200TextResponse("ok\n"), nil
}

// GetSpec implements the operation getSpec.
func (a *API) GetSpec(context.Context, server.GetSpecRequestObject) (server.GetSpecResponseObject, error) {
	return described200{}, nil
}

// described200 answers with the description.
type described200 struct{}

// VisitGetSpecResponse writes the description.
func (described200) VisitGetSpecResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(Spec())
	return err
}
