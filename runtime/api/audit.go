package api

import (
	"context"
	"encoding/json"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// audited calls fn in a transaction that also writes what the principal of a call changes. detail
// is what the audit keeps beside the subject.
func (a *API) audited(ctx context.Context, subject string, detail any, fn func(context.Context, *store.Store) error) error {
	text, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	c := callOf(ctx)
	return a.store.InTx(ctx, func(ctx context.Context, st *store.Store) error {
		if err := fn(ctx, st); err != nil {
			return err
		}
		return st.Audits.Add(ctx, &schema.Audit{Principal: c.principal.Name, Operation: c.op.id, Subject: subject, Detail: text})
	})
}
