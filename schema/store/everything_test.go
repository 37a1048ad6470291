package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// A step calls one method of a Store or of one of its fields.
type step struct {
	method string
	call   func(ctx context.Context, st *store.Store) error
}

// everything calls each method of a Store that sends statements, on tables without rows.
func everything(ctx context.Context, st *store.Store, def *metadata.Definition) error {
	for _, s := range steps(def) {
		if err := s.call(ctx, st); err != nil {
			return fmt.Errorf("%s: %w", s.method, err)
		}
	}
	return nil
}

// failed leaves out what a method returns beside its error.
func failed[T any](_ T, err error) error { return err }

// steps returns the calls in their order: a call may need what an earlier one made.
func steps(def *metadata.Definition) []step {
	pack := &schema.Pack{Ref: "acme", Label: "Acme", Version: "1"}
	var runtime *schema.Runtime
	var worker *schema.Worker
	var token *schema.Token
	found := []schema.WorkerRuntime{{
		RuntimeRef: "acme.ruby", Name: "ruby", Outcome: schema.OutcomeAvailable, Source: "verified", Version: "3.2.1", VersionRaw: "3.2.1",
		Path: "/usr/bin/ruby", VerifiedAt: new(time.Now()),
	}}
	need := func() *requirement.Requirement {
		r, err := requirement.Parse([]byte(`{"runtimes": {"acme.ruby": ">=3"}, "selector": {"zone": "a"},
			"affinity": {"preferred": [{"weight": 5, "term": {"match_labels": {"disk": "ssd"}}}]}}`))
		if err != nil {
			panic(err)
		}
		return &r
	}
	ruby := store.RuntimeFilter{Ref: "acme.ruby", Name: "ruby"}
	taint := requirement.Taint{Key: "gpu", Effect: requirement.NoSchedule}
	return []step{
		{"Packs.Create", func(ctx context.Context, st *store.Store) error { return st.Packs.Create(ctx, pack) }},
		{"Packs.Upsert", func(ctx context.Context, st *store.Store) error { return st.Packs.Upsert(ctx, pack) }},
		{"Packs.Update", func(ctx context.Context, st *store.Store) error {
			return failed(st.Packs.Update(ctx, "acme", store.PackChanges{}))
		}},
		{"Packs.List", func(ctx context.Context, st *store.Store) error {
			return failed(st.Packs.List(ctx, store.Page{After: "a", Limit: 1}))
		}},
		{"Packs.ByRef", func(ctx context.Context, st *store.Store) error { return failed(st.Packs.ByRef(ctx, "acme")) }},
		{"Packs.Get", func(ctx context.Context, st *store.Store) error { return failed(st.Packs.Get(ctx, pack.ID)) }},
		{"Packs.References", func(ctx context.Context, st *store.Store) error { return failed(st.Packs.References(ctx, "acme")) }},
		{"Runtimes.UpsertDefinition", func(ctx context.Context, st *store.Store) (err error) {
			runtime, err = st.Runtimes.UpsertDefinition(ctx, def, nil)
			return err
		}},
		{"Runtimes.Create", func(ctx context.Context, st *store.Store) error {
			return st.Runtimes.Create(ctx, &schema.Runtime{Ref: "acme.other", Name: "other"})
		}},
		{"Runtimes.Upsert", func(ctx context.Context, st *store.Store) error {
			return st.Runtimes.Upsert(ctx, &schema.Runtime{Ref: "acme.other", Name: "other"})
		}},
		{"Runtimes.Update", func(ctx context.Context, st *store.Store) error {
			return failed(st.Runtimes.Update(ctx, "acme.other", store.RuntimeChanges{}))
		}},
		{"Runtimes.ByRef", func(ctx context.Context, st *store.Store) error { return failed(st.Runtimes.ByRef(ctx, "acme.ruby")) }},
		{"Runtimes.Get", func(ctx context.Context, st *store.Store) error { return failed(st.Runtimes.Get(ctx, runtime.ID)) }},
		{"Runtimes.Created", func(ctx context.Context, st *store.Store) error { return failed(st.Runtimes.Created(ctx, "acme.ruby")) }},
		{"Runtimes.CreatedTimes", func(ctx context.Context, st *store.Store) error { return failed(st.Runtimes.CreatedTimes(ctx)) }},
		{"Runtimes.Definition", func(ctx context.Context, st *store.Store) error {
			return failed(st.Runtimes.Definition(ctx, "acme.ruby"))
		}},
		{"Runtimes.List", func(ctx context.Context, st *store.Store) error {
			return failed(st.Runtimes.List(ctx, store.Page{Limit: 1}))
		}},
		{"Runtimes.References", func(ctx context.Context, st *store.Store) error {
			return failed(st.Runtimes.References(ctx, "acme.ruby"))
		}},
		{"Runtimes.Resolve", func(ctx context.Context, st *store.Store) error { return failed(st.Runtimes.Resolve(ctx, "mri")) }},
		{"Runtimes.Retired", func(ctx context.Context, st *store.Store) error { return failed(st.Runtimes.Retired(ctx)) }},
		{"RuntimeVersions.Create", func(ctx context.Context, st *store.Store) error {
			return st.RuntimeVersions.Create(ctx, &schema.RuntimeVersion{Runtime: runtime.ID, Version: "9"})
		}},
		{"RuntimeVersions.Upsert", func(ctx context.Context, st *store.Store) error {
			return st.RuntimeVersions.Upsert(ctx, &schema.RuntimeVersion{Runtime: runtime.ID, Version: "9"})
		}},
		{"RuntimeVersions.ByRuntime", func(ctx context.Context, st *store.Store) error {
			return failed(st.RuntimeVersions.ByRuntime(ctx, "acme.ruby"))
		}},
		{"RuntimeVersions.ByRef", func(ctx context.Context, st *store.Store) error {
			return failed(st.RuntimeVersions.ByRef(ctx, "acme.ruby", "9"))
		}},
		{"RuntimeVersions.Get", func(ctx context.Context, st *store.Store) error {
			row, err := st.RuntimeVersions.ByRef(ctx, "acme.ruby", "9")
			if err != nil {
				return err
			}
			return errors.Join(failed(st.RuntimeVersions.Get(ctx, row.ID)),
				failed(st.RuntimeVersions.Update(ctx, row.ID, store.RuntimeVersionChanges{})), st.RuntimeVersions.Delete(ctx, row.ID))
		}},
		{"Definitions", func(ctx context.Context, st *store.Store) error { return failed(st.Definitions(ctx)) }},
		{"BoundedDefinitions", func(ctx context.Context, st *store.Store) error {
			_, _, err := st.BoundedDefinitions(ctx)
			return err
		}},
		{"DefinitionsMark", func(ctx context.Context, st *store.Store) error { return failed(st.DefinitionsMark(ctx)) }},
		{"DefinitionsState", func(ctx context.Context, st *store.Store) error { return failed(st.DefinitionsState(ctx)) }},
		{"Now", func(ctx context.Context, st *store.Store) error { return failed(st.Now(ctx)) }},
		{"Identity", func(ctx context.Context, st *store.Store) error { return failed(st.Identity(ctx)) }},
		{"InTx", func(ctx context.Context, st *store.Store) error {
			return st.InTx(ctx, func(context.Context, *store.Store) error { return nil })
		}},

		{"Workers.Create", func(ctx context.Context, st *store.Store) error {
			return st.Workers.Create(ctx, &schema.Worker{Name: "created", WorkerRole: schema.RoleSensor, WorkerType: schema.WorkerLocal})
		}},
		{"Workers.Register", func(ctx context.Context, st *store.Store) (err error) {
			worker, _, err = st.Workers.Register(ctx, store.Registration{Name: "w", Role: metadata.Worker, Instance: new("i"), HeartbeatInterval: new(60)})
			return err
		}},
		{"Workers.Report", func(ctx context.Context, st *store.Store) error {
			document := []byte(`{"runtimes": ["ruby"], "labels": {"zone": "a"}, "taints": [{"key": "old", "effect": "prefer_no_schedule"}]}`)
			return failed(st.Workers.Report(ctx, worker.ID, "i", store.Capabilities{Document: document, Runtimes: found}))
		}},
		{"Workers.Heartbeat", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Heartbeat(ctx, worker.ID, "i"))
		}},
		{"Workers.ByIdentity", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.ByIdentity(ctx, metadata.Worker, "w"))
		}},
		{"Workers.Get", func(ctx context.Context, st *store.Store) error { return failed(st.Workers.Get(ctx, worker.ID)) }},
		{"Workers.Update", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Update(ctx, worker.ID, store.WorkerChanges{Runtime: metadata.Some(&runtime.ID)}))
		}},
		{"Workers.Select", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Select(ctx, store.Selection{
				Names: []string{"w"}, Roles: []metadata.Role{metadata.Worker}, Statuses: []schema.WorkerStatus{schema.WorkerActive},
				Has: []store.RuntimeFilter{ruby}, Lacks: []store.RuntimeFilter{{Ref: "acme.other"}}, Limit: 1,
			}))
		}},
		{"Workers.List", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.List(ctx, store.Listing{Selection: store.Selection{Lacks: []store.RuntimeFilter{ruby}}}))
		}},
		{"Workers.PositionOf", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.PositionOf(ctx, store.Listing{}, worker.ID))
		}},
		{"Workers.Rows", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Rows(ctx, []int64{worker.ID}, true))
		}},
		{"Workers.Names", func(ctx context.Context, st *store.Store) error { return failed(st.Workers.Names(ctx)) }},
		{"Workers.Having", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Having(ctx, "acme.ruby", store.HavingFilter{}))
		}},
		{"Workers.ByPrerelease", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.ByPrerelease(ctx, store.Selection{Has: []store.RuntimeFilter{ruby}}))
		}},
		{"Workers.Labels", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Labels(ctx, []int64{worker.ID}))
		}},
		{"Workers.Taints", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Taints(ctx, []int64{worker.ID}))
		}},
		{"Workers.States", func(ctx context.Context, st *store.Store) error { _, _, err := st.Workers.States(ctx); return err }},
		{"Workers.Standing", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Standing(ctx, store.Selection{}))
		}},
		{"Workers.Revision", func(ctx context.Context, st *store.Store) error { return failed(st.Workers.Revision(ctx, worker.ID)) }},
		{"Workers.RowLimit", func(ctx context.Context, st *store.Store) error { return failed(st.Workers.RowLimit(ctx)) }},
		{"Workers.Tallies", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Tallies(ctx, store.Selection{}))
		}},
		{"Workers.CountGroups", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.CountGroups(ctx, store.Grouping{By: store.GroupLabel, Label: "zone"}))
		}},
		{"Workers.RequestRefresh", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.RequestRefresh(ctx, worker.ID))
		}},
		{"Workers.Inquiries", func(ctx context.Context, st *store.Store) error { return failed(st.Workers.Inquiries(ctx, worker.ID)) }},
		{"Workers.Refreshed", func(ctx context.Context, st *store.Store) error { return failed(st.Workers.Refreshed(ctx, worker.ID)) }},
		{"Workers.Lock", func(ctx context.Context, st *store.Store) error {
			return st.InTx(ctx, func(ctx context.Context, st *store.Store) error { return failed(st.Workers.Lock(ctx, worker.ID)) })
		}},
		{"Workers.Cordon", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Cordon(ctx, "disk", worker.ID))
		}},
		{"Workers.Cordons", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Cordons(ctx, []int64{worker.ID}))
		}},
		{"Workers.Uncordon", func(ctx context.Context, st *store.Store) error { return failed(st.Workers.Uncordon(ctx, worker.ID)) }},
		{"Workers.Taint", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Taint(ctx, taint, worker.ID))
		}},
		{"Workers.OperatorTaints", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.OperatorTaints(ctx, []int64{worker.ID}))
		}},
		{"Workers.Untaint", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Untaint(ctx, taint.Key, taint.Effect, worker.ID))
		}},
		{"Workers.Place", func(ctx context.Context, st *store.Store) error {
			inOrder := need()
			inOrder.Affinity.Preferred = nil
			all := need()
			all.Selector = nil
			return errors.Join(failed(st.Workers.Place(ctx, need(), 5)), failed(st.Workers.Place(ctx, inOrder, 5)), failed(st.Workers.Place(ctx, all, 0)))
		}},
		{"Workers.Facts", func(ctx context.Context, st *store.Store) error {
			q := store.FactsFor(need())
			q.Lost = true
			return failed(st.Workers.Facts(ctx, q))
		}},
		{"Workers.ResolveDeclared", func(ctx context.Context, st *store.Store) error { return st.Workers.ResolveDeclared(ctx) }},
		{"Workers.MayDelete", func(ctx context.Context, st *store.Store) error { return st.Workers.MayDelete(ctx) }},
		{"Workers.References", func(ctx context.Context, st *store.Store) error { return failed(st.Workers.References(ctx, worker.ID)) }},
		{"WorkerRuntimes.ByWorker", func(ctx context.Context, st *store.Store) error {
			return failed(st.WorkerRuntimes.ByWorker(ctx, worker.ID))
		}},
		{"WorkerRuntimes.CountVersions", func(ctx context.Context, st *store.Store) error {
			return failed(st.WorkerRuntimes.CountVersions(ctx, "acme.ruby"))
		}},
		{"WorkerRuntimes.Installations", func(ctx context.Context, st *store.Store) error {
			return failed(st.WorkerRuntimes.Installations(ctx, []int64{worker.ID}))
		}},
		{"WorkerRuntimes.Outcomes", func(ctx context.Context, st *store.Store) error {
			return failed(st.WorkerRuntimes.Outcomes(ctx, []int64{worker.ID}, []store.RuntimeFilter{ruby, {Name: "undefined"}}))
		}},
		{"WorkerRuntimes.Reports", func(ctx context.Context, st *store.Store) error {
			return failed(st.WorkerRuntimes.Reports(ctx, []int64{worker.ID}, []store.RuntimeFilter{ruby}))
		}},
		{"WorkerRuntimes.Undefined", func(ctx context.Context, st *store.Store) error {
			if _, err := st.WorkerRuntimes.Undefined(ctx, "undefined"); !errors.Is(err, store.ErrNotFound) {
				return err
			}
			return nil
		}},
		{"Changes.After", func(ctx context.Context, st *store.Store) error { return failed(st.Changes.After(ctx, 0, 5)) }},
		{"Changes.IsKept", func(ctx context.Context, st *store.Store) error { return failed(st.Changes.IsKept(ctx, 1)) }},
		{"Changes.Last", func(ctx context.Context, st *store.Store) error { return failed(st.Changes.Last(ctx)) }},
		{"Changes.List", func(ctx context.Context, st *store.Store) error {
			return failed(st.Changes.List(ctx, store.ChangeFilter{Names: []string{"w*"}, Roles: []metadata.Role{metadata.Worker}, Ref: "acme.ruby"}))
		}},
		{"Changes.Subscribe", func(ctx context.Context, st *store.Store) error {
			for _, err := range st.Changes.Subscribe(ctx, 0, store.SubscribeConfig{}) {
				return err
			}
			return nil
		}},
		{"Subjects.List", func(ctx context.Context, st *store.Store) error {
			return failed(st.Subjects.List(ctx, store.SubjectQuery{Pack: "acme"}))
		}},
		{"Tokens.Create", func(ctx context.Context, st *store.Store) (err error) {
			token, err = st.Tokens.Create(ctx, "ci", strings.Repeat("a", 64), "read", time.Hour)
			return err
		}},
		{"Tokens.Get", func(ctx context.Context, st *store.Store) error { return failed(st.Tokens.Get(ctx, token.ID)) }},
		{"Tokens.List", func(ctx context.Context, st *store.Store) error { return failed(st.Tokens.List(ctx)) }},
		{"Tokens.Some", func(ctx context.Context, st *store.Store) error { return failed(st.Tokens.Some(ctx, token.ID)) }},
		{"Tokens.MarkUsed", func(ctx context.Context, st *store.Store) error { return st.Tokens.MarkUsed(ctx, token.ID) }},
		{"Sessions.Create", func(ctx context.Context, st *store.Store) error {
			return failed(st.Sessions.Create(ctx, strings.Repeat("b", 64), token.ID, time.Hour))
		}},
		{"Tokens.OfSessions", func(ctx context.Context, st *store.Store) error {
			return failed(st.Tokens.OfSessions(ctx, strings.Repeat("b", 64)))
		}},
		{"Sessions.Delete", func(ctx context.Context, st *store.Store) error {
			return st.Sessions.Delete(ctx, strings.Repeat("b", 64))
		}},
		{"Tokens.Revoke", func(ctx context.Context, st *store.Store) error { return st.Tokens.Revoke(ctx, token.ID) }},
		{"Audits.Add", func(ctx context.Context, st *store.Store) error {
			return st.Audits.Add(ctx, &schema.Audit{Principal: "ci", Operation: "refreshWorker", Subject: "worker 1"})
		}},
		{"Audits.List", func(ctx context.Context, st *store.Store) error { return failed(st.Audits.List(ctx, 1)) }},

		{"Workers.Sweep", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Sweep(ctx, 0, store.HeartbeatSpan{}))
		}},
		{"Workers.SweepBatch", func(ctx context.Context, st *store.Store) error {
			_, _, err := st.Workers.SweepBatch(ctx, 0, store.HeartbeatSpan{})
			return err
		}},
		{"Workers.Prune", func(ctx context.Context, st *store.Store) error {
			return failed(st.Workers.Prune(ctx, 0, 24*time.Hour))
		}},
		{"Workers.Deactivate", func(ctx context.Context, st *store.Store) error {
			return st.Workers.Deactivate(ctx, worker.ID, "i")
		}},
		{"Workers.Delete", func(ctx context.Context, st *store.Store) error { return st.Workers.Delete(ctx, worker.ID) }},
		{"Workers.DeleteAll", func(ctx context.Context, st *store.Store) error {
			created, err := st.Workers.ByIdentity(ctx, metadata.Sensor, "created")
			if errors.Is(err, store.ErrNotFound) {
				return failed(st.Workers.DeleteAll(ctx, worker.ID))
			}
			return errors.Join(err, failed(st.Workers.DeleteAll(ctx, created.ID)))
		}},
		{"Runtimes.Delete", func(ctx context.Context, st *store.Store) error {
			return errors.Join(st.Runtimes.Delete(ctx, "acme.other"), st.Runtimes.Delete(ctx, def.Ref))
		}},
		{"Packs.Delete", func(ctx context.Context, st *store.Store) error { return st.Packs.Delete(ctx, "acme") }},
	}
}

// What everything is, reflection tells.
func TestEverythingIsCalled(t *testing.T) {
	t.Parallel()
	called := []string{
		"RuntimeVersions.Update", "RuntimeVersions.Delete", // by the step of Get
		"Layout", "Workers.PlaceStatement", // send nothing
	}
	for _, s := range steps(definition(t, rubyDefinition)) {
		called = append(called, s.method)
	}
	var missing []string
	of := func(prefix string, kind reflect.Type) {
		for m := range kind.Methods() {
			name := prefix + m.Name
			if m.Name == "MayDelete" {
				name = "Workers.MayDelete" // each table has the same
			}
			if !slices.Contains(called, name) {
				missing = append(missing, name)
			}
		}
	}
	st := reflect.TypeFor[*store.Store]()
	of("", st)
	for f := range st.Elem().Fields() {
		if f.IsExported() {
			of(f.Name+".", f.Type)
		}
	}
	if missing != nil {
		t.Errorf("everything does not call %q", missing)
	}
}
