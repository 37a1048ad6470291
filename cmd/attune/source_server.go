//nolint:bodyclose // answered closes every body
package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/runtime/api/client"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A serverSource answers from a server, by the generated client.
type serverSource struct {
	client client.ClientInterface
	url    string
	// refused reports whether the token does not allow documents and evidence.
	refused bool
}

var _ source = (*serverSource)(nil)

func (s *serverSource) close()         {}
func (s *serverSource) name() string   { return s.url }
func (s *serverSource) pending() error { return nil }

func (s *serverSource) guest(ctx context.Context) (bool, error) {
	status, err := s.status(ctx)
	if err != nil {
		return false, err
	}
	return status.Guest, nil
}

func (s *serverSource) status(ctx context.Context) (*answer.Status, error) {
	return answered[*answer.Status](s.client.GetStatus(ctx))
}

func (s *serverSource) withheld() summarizer {
	if s.refused {
		return s
	}
	return nil
}

func (s *serverSource) summary(ctx context.Context, worker int64) (*workerSummary, error) {
	item, err := answered[*answer.WorkerItem](s.client.GetWorker(ctx, worker, nil))
	if err != nil {
		return nil, err
	}
	list, err := answered[struct{ Items []answer.ReportedRuntime }](s.client.ListWorkerRuntimes(ctx, worker, nil))
	return &workerSummary{item.Labels, item.Taints, list.Items}, err
}

// withDocuments calls ask for an answer with documents or evidence, and if the token does not allow that, for one
// without.
func withDocuments[T any](s *serverSource, ask func(documents bool) (T, error)) (T, error) {
	if !s.refused {
		a, err := ask(true)
		var refused *refusal
		if !errors.As(err, &refused) || refused.Type != string(api.Forbidden) {
			return a, err
		}
		s.refused = true
	}
	return ask(false)
}

// with adds the parameters of a query to a request.
func with(q url.Values) client.RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		r.URL.RawQuery = q.Encode()
		return nil
	}
}

// number returns a number as the value of a parameter.
func number[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }

// pageSize is the size of the pages in which lists are read.
const pageSize = 1000

// mostTerms is the number of ids of one request.
const mostTerms = 200

// queryOf returns a selection as parameters.
func queryOf(s store.Selection) url.Values {
	q := url.Values{}
	for _, id := range s.IDs {
		q.Add("id", number(id))
	}
	q["name"], q["host"] = s.Names, s.Hosts
	addRoles(q, s.Roles)
	for _, status := range s.Statuses {
		q.Add("status", string(status))
	}
	if s.Stale {
		q.Add("status", "stale")
	}
	if s.Silent > 0 {
		q.Set("silent", s.Silent.String())
	}
	for _, l := range s.Labels {
		text := l.Key
		if l.Value != nil {
			text += "=" + *l.Value
		}
		q.Add("label", text)
	}
	for key, list := range map[string][]store.RuntimeFilter{"has": s.Has, "lacks": s.Lacks} {
		for i := range list {
			q.Add(key, termOf(&list[i]))
			if list[i].Prereleases {
				q.Set("prereleases", "true")
			}
		}
	}
	return q
}

func addRoles(q url.Values, roles []metadata.Role) {
	for _, role := range roles {
		q.Add("role", string(role))
	}
}

// termOf returns a requirement as RUNTIME[@CONSTRAINT].
func termOf(r *store.RuntimeFilter) string {
	text := cmp.Or(r.Ref, r.Name)
	if r.Constraint != nil {
		text += "@" + r.Constraint.String()
	}
	return text
}
