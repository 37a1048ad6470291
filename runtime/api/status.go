package api

import (
	"context"
	"net/http"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
)

// GetStatus implements the operation getStatus.
func (a *API) GetStatus(ctx context.Context, _ server.GetStatusRequestObject) (server.GetStatusResponseObject, error) {
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	s, err := answer.StatusOf(ctx, a.store, defs.list)
	if err != nil {
		return nil, err
	}
	s.LastChange = 0
	if v, err := a.hub.after(0); err == nil {
		s.LastChange = v.last
	}
	streams := a.limiter.streams()
	s.Streams = &streams
	return server.GetStatus200JSONResponse(*s), nil
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

// A described200 answers with the description.
type described200 struct{}

// VisitGetSpecResponse writes the description.
func (described200) VisitGetSpecResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(Spec())
	return err
}
