package main

import (
	"context"
	"iter"
	"log/slog"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/database/pool"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A databaseSource answers from a database.
type databaseSource struct {
	answer.Finder
	answer.RefreshSource
	db *cli.Database
}

var _ source = databaseSource{}

// inDatabase returns a database as a source.
func inDatabase(db *cli.Database) databaseSource {
	return databaseSource{answer.In(db.Store), answer.RefreshIn(db.Store), db}
}

func (s databaseSource) close()         { _ = s.db.Close() } // everything was read
func (s databaseSource) name() string   { return s.db.Name }
func (s databaseSource) pending() error { return s.db.Pending }

func (s databaseSource) guest(context.Context) (bool, error) { return s.db.Guest(), nil }

func (s databaseSource) status(ctx context.Context) (*answer.Status, error) {
	found, err := s.definitions(ctx)
	if err != nil {
		return nil, err
	}
	if text := found.LeftOut.String(); text != "" {
		slog.WarnContext(ctx, text)
	}
	return answer.StatusOf(ctx, s.db.Store, found.Definitions)
}

func (s databaseSource) definitions(ctx context.Context) (cli.Definitions, error) {
	return s.db.Definitions(ctx)
}

func (s databaseSource) mean(ctx context.Context, r *requirement, found *cli.Definitions) error {
	return r.Resolve(ctx, s.db.Store, metadata.NewIndex(found.Definitions))
}

func (s databaseSource) definition(ctx context.Context, name string) (def *metadata.Definition, note string, err error) {
	if s.db.Guest() {
		index, found, err := s.db.Index(ctx)
		if err != nil {
			return nil, "", err
		}
		def, ok := index.Resolve(name)
		if !ok {
			return nil, "", store.ErrNotFound
		}
		return def, found.Notes[def.Ref], nil
	}
	row, err := s.db.Store.Runtimes.Resolve(ctx, name)
	if err == nil {
		def, err = s.db.Store.Runtimes.Definition(ctx, row.Ref)
	}
	return def, "", err
}

func (s databaseSource) holders(ctx context.Context, ref string, limit int) (holders []answer.Subject, all int, err error) {
	return answer.HoldersOf(ctx, s.db.Store, ref, limit)
}

func (s databaseSource) list(ctx context.Context, q answer.ListQuery, fn func([]answer.WorkerItem) error) (next string, err error) {
	q.Names = func(ctx context.Context) (*metadata.Index, error) {
		names, _, err := s.db.Index(ctx)
		return names, err
	}
	return answer.ListWorkers(ctx, s.db.Store, q, fn)
}

func (s databaseSource) leftOut(ctx context.Context, of store.Selection) (int, error) {
	return s.db.Store.Workers.ByPrerelease(ctx, of)
}

func (s databaseSource) counts(ctx context.Context, of store.Selection) (*answer.Counts, error) {
	return answer.CountWorkers(ctx, s.db.Store, of)
}

func (s databaseSource) operations(ctx context.Context, ids []int64) (map[int64]answer.Operations, error) {
	return answer.OperationsOn(ctx, s.db.Store, ids...)
}

func (s databaseSource) withheld() summarizer { return nil }

func (s databaseSource) explain(ctx context.Context, w *store.WorkerSnapshot, q answer.Question) (*answer.Explanation, error) {
	return answer.Explain(ctx, s.db.Store, w, q)
}

func (s databaseSource) diff(ctx context.Context, a, b *store.WorkerSnapshot) (*answer.Difference, error) {
	return answer.Diff(ctx, s.db.Store, a, b)
}

func (s databaseSource) history(ctx context.Context, filter store.ChangeFilter) ([]answer.Change, error) {
	return answer.History(ctx, s.db.Store, filter)
}

func (s databaseSource) eachChange(ctx context.Context, filter store.ChangeFilter, fn func([]answer.Change) error) error {
	return answer.EachChange(ctx, s.db.Store, filter, fn)
}

func (s databaseSource) follow(ctx context.Context, filter store.ChangeFilter, after *int64) (iter.Seq2[answer.Change, error], error) {
	last, err := s.db.Store.Changes.Last(ctx)
	if err != nil {
		return nil, err
	}
	kept := true
	if after != nil {
		last = *after
		if kept, err = s.db.Store.Changes.IsKept(ctx, last); err != nil {
			return nil, err
		}
	}
	return func(yield func(answer.Change, error) bool) {
		if !kept && !yield(answer.Change{}, errPruned) {
			return
		}
		for change, err := range s.db.Store.Changes.Subscribe(ctx, last, store.SubscribeConfig{Listen: pool.Listen(s.db.DB)}) {
			if err == nil && !answer.IsSelected(&change, filter) {
				continue
			}
			if !yield(answer.ChangeOf(&change), err) {
				return
			}
		}
	}, nil
}

func (s databaseSource) operate(
	ctx context.Context, of store.Selection, op answer.Operation, dryRun bool,
) (*answer.OperationReport, error) {
	return answer.OperateWorkers(ctx, s.db, s.db.Config(), of, op, dryRun)
}

func (s databaseSource) place(ctx context.Context, r *placement.Requirement, limit int, hosts bool) (*placement.Answer, error) {
	if hosts {
		return answer.PlaceHosts(ctx, s.db.Store, r, limit)
	}
	return answer.Place(ctx, s.db.Store, r, limit)
}

func (s databaseSource) subject(
	ctx context.Context, index *metadata.Index, kind store.SubjectKind, ref string,
) (*answer.PlaceSubject, error) {
	return answer.FindSubject(ctx, s.db.Store, index, kind, ref)
}

func (s databaseSource) subjects(ctx context.Context, index *metadata.Index, pack string) (*answer.SubjectCounts, error) {
	return answer.CountSubjects(ctx, s.db.Store, index, store.SubjectQuery{Pack: pack})
}

func (s databaseSource) whatIf(
	ctx context.Context, index *metadata.Index, pack string, changes []placement.Change,
) (*answer.Consequences, error) {
	return answer.WhatIfSubjects(ctx, s.db.Store, index, store.SubjectQuery{Pack: pack}, changes)
}
