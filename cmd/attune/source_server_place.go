//nolint:bodyclose // answered closes every body
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func (s *serverSource) place(ctx context.Context, r *placement.Requirement, limit int, hosts bool) (*placement.Answer, error) {
	text, err := r.MarshalJSON()
	if err != nil {
		return nil, err
	}
	q := url.Values{"limit": {number(limit)}}
	if limit > pageSize {
		q.Set("limit", "0")
	}
	if hosts {
		q.Set("include", "hosts")
	}
	a, err := answered[*placement.Answer](s.client.PlaceWithBody(ctx, nil, jsonType, bytes.NewReader(text), with(q)))
	if err == nil && limit > 0 && len(a.Placed) > limit {
		a.Placed = a.Placed[:limit]
	}
	return a, err
}

// A subjectPage is a page of actions or sensors.
type subjectPage struct {
	Fleet int
	Items []answer.SubjectCount
	Next  string
}

// ofKind returns all actions or sensors of a query.
func (s *serverSource) ofKind(ctx context.Context, kind store.SubjectKind, q url.Values) (all subjectPage, err error) {
	q.Set("limit", number(pageSize))
	for {
		var page subjectPage
		if kind == store.ActionSubject {
			page, err = answered[subjectPage](s.client.ListActions(ctx, nil, with(q)))
		} else {
			page, err = answered[subjectPage](s.client.ListSensors(ctx, nil, with(q)))
		}
		all.Fleet, all.Items = page.Fleet, append(all.Items, page.Items...)
		if err != nil || page.Next == "" {
			return all, err
		}
		q.Set("after", page.Next)
	}
}

func (s *serverSource) subject(ctx context.Context, _ *metadata.Index, kind store.SubjectKind, ref string) (*answer.PlaceSubject, error) {
	found, err := s.ofKind(ctx, kind, url.Values{"ref": {ref}})
	if err != nil {
		return nil, err
	}
	if len(found.Items) > 0 {
		return &found.Items[0].PlaceSubject, nil
	}
	if found, err = s.ofKind(ctx, kind, url.Values{}); err != nil {
		return nil, err
	}
	var refs []string
	for i := range found.Items {
		refs = append(refs, found.Items[i].Ref)
	}
	slices.Sort(refs)
	other, err := s.ofKind(ctx, kind.Other(), url.Values{"ref": {ref}})
	if err != nil {
		return nil, err
	}
	return nil, &answer.UnknownSubjectError{Kind: kind, Ref: ref, Near: metadata.Nearest(ref, refs), Other: len(other.Items) > 0}
}

func (s *serverSource) subjects(ctx context.Context, _ *metadata.Index, pack string) (*answer.SubjectCounts, error) {
	counts := answer.SubjectCounts{Subjects: []answer.SubjectCount{}}
	for _, kind := range []store.SubjectKind{store.ActionSubject, store.SensorSubject} {
		q := url.Values{}
		if pack != "" {
			q.Set("pack", pack)
		}
		found, err := s.ofKind(ctx, kind, q)
		if err != nil {
			return nil, err
		}
		counts.Fleet, counts.Subjects = found.Fleet, append(counts.Subjects, found.Items...)
	}
	slices.SortFunc(counts.Subjects, func(a, b answer.SubjectCount) int {
		return cmp.Or(cmp.Compare(a.Fit, b.Fit), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Kind, b.Kind))
	})
	return &counts, nil
}

func (s *serverSource) whatIf(
	ctx context.Context, _ *metadata.Index, pack string, changes []placement.Change,
) (*answer.Consequences, error) {
	question := struct {
		Changes []string `json:"changes"`
		Pack    string   `json:"pack,omitempty"`
	}{Pack: pack}
	for _, change := range changes {
		question.Changes = append(question.Changes, change.String())
	}
	text, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	found, err := answered[*answer.Consequences](s.client.WhatIfWithBody(ctx, jsonType, bytes.NewReader(text)))
	if errors.Is(err, store.ErrInvalid) {
		names, other := s.Names(ctx)
		if unknown := answer.UnknownIn(changes, names); other == nil && unknown != nil {
			return nil, unknown
		}
	}
	return found, err
}
