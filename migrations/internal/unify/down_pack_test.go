package unify_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema/store"
)

func loadPack(t *testing.T, db bun.IDB, pack *packs.Pack, opts install.Options) *install.Report {
	t.Helper()
	report, err := install.Load(t.Context(), db, store.Config{Schema: "public"}, pack, opts)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// acmePack is a pack with a runtime that legacy actions and sensors use, and with versions.
func acmePack(t *testing.T) *packs.Pack {
	t.Helper()
	pack, faults := packs.Load(fstest.MapFS{
		"pack.yaml": {Data: []byte("ref: acme\nlabel: Acme\nversion: 3.0.0\n")},
		"runtimes/only.yaml": {Data: []byte(`
ref: acme.only
name: Only
aliases: [ruby, jewel]
distributions: {verification: {commands: [{binary: ruby, args: [--version]}]}}
execution_config: {interpreter: {binary: ruby}}
versions:
  - {version: "3.2", is_default: true, distributions: {verification: {commands: [{binary: ruby3.2, args: [--version]}]}}}
  - {version: "3.10", execution_config: {interpreter: {binary: ruby3.10}}, meta: {eol: 2030}}
`)},
	}, packs.Config{})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return pack
}

// of returns the rows of all tables but those that a pack is loaded into and those that the
// platform's triggers write to.
func of(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		return strings.HasPrefix(line, "public.pack:") || strings.HasPrefix(line, "public.noise:")
	})
}

// lost returns the rows of before that after lacks.
func lost(before, after []string) []string {
	return slices.DeleteFunc(of(before), func(line string) bool { return slices.Contains(after, line) })
}

// What a pack brought stays in the pack's row. Removing it from the runtimes loses nothing, whether or
// not it replaced earlier values.
func TestDownAfterPacksLoad(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]install.Options{"kept": {}, "forced": {Force: true}} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			db, _ := installation(t, "public")
			before := rows(t, db)
			up(t, db, "public")
			loaded := []*packs.Pack{packs.Core(), acmePack(t)}
			for _, pack := range loaded {
				loadPack(t, db, pack, opts)
			}
			full := definitions(t, db)
			plan, err := unify.ExamineDown(ctx, db, "public")
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Losses) > 0 {
				t.Fatalf("losses are %v, want none", plan.Losses)
			}
			down(t, db, "public", unify.Options{})
			after := rows(t, db)
			if diff := cmp.Diff([]string{}, lost(before, after)); diff != "" {
				t.Errorf("rows that are not what they were:\n%s", diff)
			}
			equal(t, db, "a runtime that the pack added", `SELECT string_agg(ref, ' ' ORDER BY ref) FROM runtime WHERE ref LIKE 'core.%.erlang'`,
				"core.action.erlang core.sensor.erlang")

			up(t, db, "public")
			for _, pack := range loaded {
				loadPack(t, db, pack, opts)
			}
			if diff := cmp.Diff(full, definitions(t, db)); diff != "" {
				t.Errorf("loading again after down and up brings something else (-before +after):\n%s", diff)
			}
		})
	}
}

// definitions returns the columns that a pack is loaded into, by ref.
func definitions(t *testing.T, db bun.IDB) []string {
	t.Helper()
	var lines []string
	err := db.NewRaw(`SELECT concat_ws(' ', r.ref, r.name, r.aliases, r.distributions, r.execution_config, r.digest,
  (SELECT string_agg(concat_ws(' ', v.version, v.is_default, v.distributions, v.execution_config, v.meta), '; ' ORDER BY v.version)
   FROM runtime_version v WHERE v.runtime = r.id)) FROM runtime r ORDER BY r.ref`).Scan(t.Context(), &lines)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// Values that an operator wrote over a pack's values are his own.
func TestDownAfterPacksLoadCountsOperators(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, since, object string }{
		{"execution config", `UPDATE runtime SET execution_config = '{"interpreter": {"binary": "ruby9"}}' WHERE ref = 'acme.only'`, "column runtime.execution_config"},
		{"aliases", `UPDATE runtime SET aliases = '["gem"]' WHERE ref = 'acme.only'`, "column runtime.aliases"},
		{"changed version", `UPDATE runtime_version SET meta = '{"eol": 2031}' WHERE version = '3.10'`, "table runtime_version"},
		{"further version", `INSERT INTO runtime_version (runtime, version, sort_key) SELECT id, '9', 'x' FROM runtime WHERE ref = 'acme.only'`, "table runtime_version"},
		{"another pack's word", `UPDATE pack SET meta = jsonb_set(meta, '{attune,loaded}', '{"core.x": 1}') WHERE ref = 'acme';
UPDATE pack SET meta = jsonb_set(meta, '{attune,loaded,acme.only}', '{"execution_config": {"interpreter": {"binary": "ruby"}}}') WHERE ref = 'core';
UPDATE runtime SET aliases = '[]'; DELETE FROM runtime_version`, "column runtime.execution_config"},
	}
	ctx := context.Background()
	db, _ := installation(t, "public")
	up(t, db, "public")
	loadPack(t, db, packs.Core(), install.Options{})
	loadPack(t, db, acmePack(t), install.Options{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }()
			must(t, tx, c.since)
			plan, err := unify.ExamineDown(ctx, tx, "public")
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Losses) != 1 || plan.Losses[0].Object != c.object || !strings.Contains(plan.Losses[0].Reason, "acme.only") {
				t.Errorf("losses are %v, want one of %s", plan.Losses, c.object)
			}
		})
	}
	t.Run("metadata", func(t *testing.T) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		must(t, tx, `SET CONSTRAINTS ALL IMMEDIATE; UPDATE runtime SET distributions = jsonb_set(distributions, '{min_version}', '"3.99"') WHERE ref = 'core.python'`)
		if _, err := unify.Down(ctx, tx, "public", unify.Options{}); err != nil {
			t.Fatal(err)
		}
		equal(t, tx, "what the operator wrote", `SELECT string_agg(DISTINCT distributions->>'min_version', ' ') FROM runtime WHERE id IN (10, 11)`, "3.99")
	})
}
