package store_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func aRuntime(ref string) *schema.Runtime { return &schema.Runtime{Ref: ref, Name: ref} }

// ruby is a runtime with a value in each column.
func ruby(t *testing.T) *schema.Runtime {
	t.Helper()
	row := &schema.Runtime{
		Ref: "acme.ruby", PackRef: ptr("acme"), Description: ptr("it's ruby?"), Name: "Ruby",
		Aliases:      metadata.Aliases{"ruby", "mri"},
		Installation: json.RawMessage(`{"apt": "C:\\u0000"}`), Digest: ptr("d1"),
	}
	decode(t, `{"verification": {"commands": [{"binary": "ruby", "args": ["--version"], "pattern": "it's \\d+\\?",
		"priority": 5, "x-note": "kept"}]}, "min_version": "2.7", "x-more": [1.50]}`, &row.Distributions)
	decode(t, `{"interpreter": {"binary": "ruby", "file_extension": ".rb"}, "env_vars": {"A": "b"}}`, &row.ExecutionConfig)
	return row
}

func decode(t *testing.T, text string, into json.Unmarshaler) {
	t.Helper()
	if err := into.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// byMeaning compares documents as the digest does.
var byMeaning = cmp.Options{
	cmp.Comparer(func(a, b metadata.Distributions) bool { return a.Equal(b) }),
	cmp.Comparer(func(a, b metadata.ExecutionConfig) bool { return a.Equal(b) }),
}

func TestRuntimeRoundTrip(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		acme := pack("acme")
		if err := e.Packs.Create(t.Context(), acme); err != nil {
			t.Fatal(err)
		}
		row := ruby(t)
		row.Pack = &acme.ID
		if err := e.Runtimes.Create(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		got, err := e.Runtimes.ByRef(t.Context(), "acme.ruby")
		if diff := cmp.Diff(row, got, byMeaning); err != nil || diff != "" {
			t.Errorf("what Create returned and what is stored differ: %v\n%s", err, diff)
		}
		want := ruby(t)
		want.Pack, want.ID, want.Created, want.Updated = &acme.ID, got.ID, got.Created, got.Updated
		same := cmp.Transformer("meaning", func(raw json.RawMessage) string { return meaning(t, raw) })
		if diff := cmp.Diff(want, got, byMeaning, same); diff != "" {
			t.Errorf("round trip:\n%s", diff)
		}
		byID, err := e.Runtimes.Get(t.Context(), got.ID)
		if diff := cmp.Diff(got, byID, byMeaning); err != nil || diff != "" {
			t.Errorf("Get: %v\n%s", err, diff)
		}
	})
}

func TestRuntimeUpdateTouchesOnlyWhatIsGiven(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		if err := e.Runtimes.Create(t.Context(), ruby(t)); err != nil {
			t.Fatal(err)
		}
		backdate(t, e, "runtime")
		before, _ := e.Runtimes.ByRef(t.Context(), "acme.ruby")
		got, err := e.Runtimes.Update(t.Context(), "acme.ruby", store.RuntimeChanges{
			Name: metadata.Some("CRuby"), Description: metadata.Some[*string](nil),
			Installation: metadata.Some[json.RawMessage](nil), Digest: metadata.Some[*string](nil),
		})
		if err != nil {
			t.Fatal(err)
		}
		if !got.Updated.After(before.Updated) {
			t.Errorf("updated stayed %v", got.Updated)
		}
		want := *before
		want.Name, want.Description, want.Installation, want.Digest, want.Updated = "CRuby", nil, nil, nil, got.Updated
		if diff := cmp.Diff(&want, got, byMeaning); diff != "" {
			t.Errorf("update:\n%s", diff)
		}
		stored, _ := e.Runtimes.ByRef(t.Context(), "acme.ruby")
		if diff := cmp.Diff(got, stored, byMeaning); diff != "" {
			t.Errorf("what Update returned and what is stored differ:\n%s", diff)
		}
	})
}

// A platform's trigger may set updated as well.
func TestUpdateBesideTrigger(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	e.exec(t, `CREATE FUNCTION {schema}.touch() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN NEW.updated := '2001-01-01Z'; RETURN NEW; END $$`)
	e.exec(t, `CREATE TRIGGER touch BEFORE UPDATE ON {schema}.runtime FOR EACH ROW EXECUTE FUNCTION {schema}.touch()`)
	if err := e.Runtimes.Create(t.Context(), ruby(t)); err != nil {
		t.Fatal(err)
	}
	got, err := e.Runtimes.Update(t.Context(), "acme.ruby", store.RuntimeChanges{Name: metadata.Some("x")})
	if err != nil || got.Updated.Year() != 2001 || got.Name != "x" {
		t.Errorf("got %+v, %v; want the trigger's time", got, err)
	}
}

func TestRuntimeUpsert(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		first := ruby(t)
		if err := e.Runtimes.Upsert(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		second := aRuntime("acme.ruby")
		if err := e.Runtimes.Upsert(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		want := aRuntime("acme.ruby")
		want.ID, want.Created, want.Updated, want.Aliases = first.ID, first.Created, second.Updated, metadata.Aliases{}
		got, _ := e.Runtimes.ByRef(t.Context(), "acme.ruby")
		if len(got.Aliases) == 0 {
			got.Aliases = metadata.Aliases{}
		}
		if diff := cmp.Diff(want, got, byMeaning); diff != "" {
			t.Errorf("second upsert:\n%s", diff)
		}
	})
}

func TestRuntimeErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		if err := e.Runtimes.Create(ctx, aRuntime("core.ruby")); err != nil {
			t.Fatal(err)
		}
		wantError(t, e.Runtimes.Create(ctx, aRuntime("core.ruby")), "duplicate", `insert runtime "core.ruby": duplicate ref`)
		wantError(t, e.Runtimes.Create(ctx, aRuntime("Core.Upper")), "invalid", `insert runtime "Core.Upper": invalid: `)
		wantError(t, e.Runtimes.Create(ctx, aRuntime("no-dot")), "invalid", `insert runtime "no-dot": invalid: `)
		orphan := aRuntime("core.orphan")
		orphan.Pack = ptr(int64(99))
		wantError(t, e.Runtimes.Create(ctx, orphan), "invalid", `insert runtime "core.orphan": invalid: `)
		_, err := e.Runtimes.Get(ctx, 99)
		wantError(t, err, "not found", `get runtime 99: not found`)
		_, err = e.Runtimes.ByRef(ctx, "core.none")
		wantError(t, err, "not found", `get runtime "core.none": not found`)
		_, err = e.Runtimes.Resolve(ctx, "none")
		wantError(t, err, "not found", `resolve runtime "none": not found`)
		_, err = e.Runtimes.Definition(ctx, "core.none")
		wantError(t, err, "not found", `get runtime "core.none": not found`)
		_, err = e.Runtimes.Update(ctx, "core.none", store.RuntimeChanges{})
		wantError(t, err, "not found", `update runtime "core.none": not found`)
		wantError(t, e.Runtimes.Delete(ctx, "core.none"), "not found", `delete runtime "core.none": not found`)
	})
}

func TestWrongMetadataIsRefused(t *testing.T) {
	t.Parallel()
	const want = `invalid distributions: /verification/commands/1/pattern: `
	each(t, func(t *testing.T, e env) {
		wrong := aRuntime("core.wrong")
		wrong.Distributions.Verification = &metadata.Verification{Commands: []metadata.Command{
			{Binary: "ruby"}, {Binary: "ruby", Pattern: "("},
		}}
		writes := map[string]func() error{
			`insert runtime "core.wrong": `: func() error { return e.Runtimes.Create(t.Context(), wrong) },
			`upsert runtime "core.wrong": `: func() error { return e.Runtimes.Upsert(t.Context(), wrong) },
			`update runtime "core.wrong": `: func() error {
				_, err := e.Runtimes.Update(t.Context(), "core.wrong",
					store.RuntimeChanges{Distributions: metadata.Some(wrong.Distributions)})
				return err
			},
			`insert runtime version "1.0": `: func() error {
				return e.RuntimeVersions.Create(t.Context(),
					&schema.RuntimeVersion{Version: "1.0", Distributions: wrong.Distributions})
			},
		}
		for prefix, write := range writes {
			err := write()
			wantError(t, err, "invalid", prefix+want)
			var faults metadata.Faults
			if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Pointer != "/verification/commands/1/pattern" {
				t.Errorf("got faults %v in %v, want the one of the pattern", faults, err)
			}
		}
		if n := value[int](t, e, "SELECT count(*) FROM {schema}.runtime"); n != 0 {
			t.Errorf("%d rows were written", n)
		}
	})
}

// What is malformed in a row is kept by what does not touch it, and written by
// nobody.
func TestMalformedRowSurvivesUpdate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		testdb.Unguard(t, e.DB, e.schema)
		e.exec(t, `INSERT INTO {schema}.runtime (ref, name, distributions) VALUES ('core.odd', 'Odd', '["odd"]')`)
		row, err := e.Runtimes.Update(t.Context(), "core.odd", store.RuntimeChanges{Name: metadata.Some("Odder")})
		if err != nil || row.Name != "Odder" || row.Distributions.Fault() == nil {
			t.Fatalf("got %+v, %v; want it renamed, with its fault", row, err)
		}
		if got := value[string](t, e, "SELECT distributions FROM {schema}.runtime"); got != `["odd"]` {
			t.Errorf("the document became %s", got)
		}
		wantError(t, e.Runtimes.Upsert(t.Context(), row), "invalid", `upsert runtime "core.odd": invalid distributions: `)
	})
}
