//nolint:bodyclose // answered closes every body
package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A runtimePage is a page of definitions.
type runtimePage struct {
	Items   []runtimeItem
	Retired []string
	Next    string
}

type runtimeItem struct {
	Ref, Name  string
	Definition json.RawMessage
}

// read returns the definition, or nil without one.
func (r *runtimeItem) read() (*metadata.Definition, error) {
	if r.Definition == nil {
		return nil, nil
	}
	d, err := metadata.ReadStored(r.Definition)
	return &d, err
}

func (s *serverSource) definitions(ctx context.Context) (cli.Definitions, error) {
	all := cli.Definitions{Completion: packs.Completion{Definitions: []metadata.Definition{}}}
	q := url.Values{"include": {"definition"}, "limit": {number(pageSize)}}
	for {
		page, err := answered[runtimePage](s.client.ListRuntimes(ctx, nil, with(q)))
		for i := 0; i < len(page.Items) && err == nil; i++ {
			var d metadata.Definition
			d, err = metadata.ReadStored(page.Items[i].Definition)
			all.Definitions = append(all.Definitions, d)
		}
		all.Retired = packs.Retired(page.Retired)
		if err != nil || page.Next == "" {
			return all, err
		}
		q.Set("after", page.Next)
	}
}

// meant returns the runtime that is meant by a name, or nil.
func (s *serverSource) meant(ctx context.Context, name string) (*runtimeItem, error) {
	if strings.TrimSpace(name) == "" {
		return nil, nil // the server refuses it
	}
	page, err := answered[runtimePage](s.client.ListRuntimes(ctx, nil, with(url.Values{"name": {name}, "include": {"definition"}})))
	if err != nil || len(page.Items) == 0 {
		return nil, err
	}
	return &page.Items[0], nil
}

func (s *serverSource) mean(ctx context.Context, r *requirement, found *cli.Definitions) error {
	row, err := s.meant(ctx, r.Written)
	switch {
	case err != nil:
		return err
	case row == nil:
		return answer.UnknownRuntime(r.Written, metadata.NewIndex(found.Definitions))
	}
	r.Ref, r.Name = row.Ref, row.Name
	r.Definition, err = row.read()
	return err
}

func (s *serverSource) definition(ctx context.Context, name string) (def *metadata.Definition, note string, err error) {
	row, err := s.meant(ctx, name)
	switch {
	case err != nil:
		return nil, "", err
	case row == nil || row.Definition == nil:
		return nil, "", store.ErrNotFound
	}
	def, err = row.read()
	return def, "", err
}

func (s *serverSource) holders(ctx context.Context, ref string, limit int) (holders []answer.Subject, all int, err error) {
	q := queryOf(store.Selection{Has: []store.RuntimeFilter{{Ref: ref}}})
	q.Set("limit", number(limit))
	q.Set("include", "counts")
	page, err := s.workers(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	for i := range page.Items {
		w := &page.Items[i]
		holders = append(holders, answer.Subject{ID: w.ID, Name: w.Name, Role: w.Role, Status: w.Status, Stale: w.Stale})
	}
	return holders, page.Counts.All, nil
}
