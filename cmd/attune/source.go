package main

import (
	"context"
	"iter"
	"log/slog"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A source answers what commands ask: a database, or a server in front of one. It has a
// method for each question, so that each command exists once.
type source interface {
	answer.Finder
	answer.RefreshSource
	close()
	// name is what messages call it.
	name() string
	// pending returns why the database is not migrated, or nil.
	pending() error
	guest(ctx context.Context) (bool, error)
	status(ctx context.Context) (*answer.Status, error)

	definitions(ctx context.Context) (cli.Definitions, error)
	// mean finds the runtime that is meant. Errors: *answer.UnknownRuntimeError.
	mean(ctx context.Context, r *requirement, found *cli.Definitions) error
	// definition returns the definition that is meant by a name. Errors: store.ErrNotFound.
	definition(ctx context.Context, name string) (def *metadata.Definition, note string, err error)
	holders(ctx context.Context, ref string, limit int) (holders []answer.Subject, all int, err error)

	list(ctx context.Context, q answer.ListQuery, fn func([]answer.WorkerItem) error) (next string, err error)
	leftOut(ctx context.Context, s store.Selection) (int, error)
	counts(ctx context.Context, s store.Selection) (*answer.Counts, error)
	// groups counts workers by role, status or a label.
	groups(ctx context.Context, by string) (*answer.MatrixGroups, error)
	operations(ctx context.Context, ids []int64) (map[int64]answer.Operations, error)
	explain(ctx context.Context, w *store.WorkerSnapshot, q answer.Question) (*answer.Explanation, error)
	// withheld returns nil unless documents or evidence were left out of answers so far, because the token does not
	// allow them.
	withheld() summarizer
	diff(ctx context.Context, a, b *store.WorkerSnapshot) (*answer.Difference, error)

	history(ctx context.Context, filter store.ChangeFilter) ([]answer.Change, error)
	eachChange(ctx context.Context, filter store.ChangeFilter, fn func([]answer.Change) error) error
	// follow yields the changes behind an id, or from now on, as they happen. It goes on after errors: errPruned is one.
	follow(ctx context.Context, filter store.ChangeFilter, after *int64) (iter.Seq2[answer.Change, error], error)

	operate(ctx context.Context, s store.Selection, op answer.Operation, dryRun bool) (*answer.OperationReport, error)

	place(ctx context.Context, r *placement.Requirement, limit int, hosts bool) (*placement.Answer, error)
	subject(ctx context.Context, index *metadata.Index, kind store.SubjectKind, ref string) (*answer.PlaceSubject, error)
	subjects(ctx context.Context, index *metadata.Index, pack string) (*answer.SubjectCounts, error)
	whatIf(ctx context.Context, index *metadata.Index, pack string, changes []placement.Change) (*answer.Consequences, error)
}

// indexOf returns the definitions of a source by their names.
func indexOf(ctx context.Context, src source) (*metadata.Index, cli.Definitions, error) {
	found, err := src.definitions(ctx)
	if text := found.LeftOut.String(); text != "" {
		slog.WarnContext(ctx, text)
	}
	index := metadata.NewIndex(found.Definitions)
	index.Retire(found.Retired)
	return index, found, err
}

// A summarizer has what may be shown of a worker in place of its document.
type summarizer interface {
	summary(ctx context.Context, worker int64) (*workerSummary, error)
}

// A workerSummary is what a worker reported, without its document.
type workerSummary struct {
	Labels   map[string]string
	Taints   []answer.Taint
	Runtimes []answer.ReportedRuntime
}

// noteWithheld says on standard error what answers lack.
func noteWithheld(env *cli.Env, src source) {
	if src.withheld() != nil {
		env.Note("without documents and evidence: they need a token of the scope operate")
	}
}

// historyOf returns the changes of a worker that match a filter.
func historyOf(ctx context.Context, src source, name string, filter store.ChangeFilter) ([]answer.Change, error) {
	return answer.HistoryOf(ctx, src, src.history, name, filter)
}
