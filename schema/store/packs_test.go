package store_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func pack(ref string) *schema.Pack { return &schema.Pack{Ref: ref, Label: ref, Version: "1.0.0"} }

func TestPackRoundTrip(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		want := &schema.Pack{
			Ref: "acme", Label: "Acme", Description: ptr("with 'quotes', ? and \\"), Version: "1.2.0",
			ConfSchema: json.RawMessage(`{"type": "object"}`),
			Config:     json.RawMessage(`{"path": "C:\\u0000 <b>"}`),
			Meta:       json.RawMessage(`{"n": 12345678901234567890}`),
			Tags:       []string{"a,b", `c"d`, "e'f", "", "{NULL}", `g\h`}, RuntimeDeps: []string{"core.python"},
			IsStandard: true,
		}
		row := *want
		if err := e.Packs.Create(t.Context(), &row); err != nil {
			t.Fatal(err)
		}
		got, err := e.Packs.ByRef(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&row, got); diff != "" {
			t.Errorf("what Create returned and what is stored differ:\n%s", diff)
		}
		for _, at := range []time.Time{got.Created, got.Updated} {
			if at.Location() != time.UTC || at.Year() < 2026 {
				t.Errorf("got time %v, want the database's in UTC", at)
			}
		}
		want.ID, want.Created, want.Updated = got.ID, got.Created, got.Updated
		sameDocuments := cmp.Transformer("meaning", func(raw json.RawMessage) string { return meaning(t, raw) })
		if diff := cmp.Diff(want, got, sameDocuments); diff != "" {
			t.Errorf("round trip:\n%s", diff)
		}
		byID, err := e.Packs.Get(t.Context(), got.ID)
		if diff := cmp.Diff(got, byID); err != nil || diff != "" {
			t.Errorf("Get: %v\n%s", err, diff)
		}
	})
}

// meaning returns a document with sorted keys and the text of every number.
func meaning(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	if raw == nil {
		return "none"
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestPackDefaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		row := pack("bare")
		if err := e.Packs.Create(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]json.RawMessage{"config": row.Config, "conf_schema": row.ConfSchema, "meta": row.Meta} {
			if string(got) != "{}" {
				t.Errorf("got %s %q, want {}", name, got)
			}
		}
		if len(row.Tags) != 0 || len(row.RuntimeDeps) != 0 || row.Description != nil {
			t.Errorf("got %+v, want no tags, no dependencies and no description", row)
		}
	})
}

func TestPackUpdateTouchesOnlyWhatIsGiven(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		row := pack("acme")
		row.Description, row.Tags, row.Config = ptr("before"), []string{"x"}, json.RawMessage(`{"a": 1}`)
		if err := e.Packs.Create(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		backdate(t, e, "pack")
		before, _ := e.Packs.ByRef(t.Context(), "acme")

		got, err := e.Packs.Update(t.Context(), "acme", store.PackChanges{Label: metadata.Some("Acme")})
		if err != nil {
			t.Fatal(err)
		}
		if !got.Updated.After(before.Updated) {
			t.Errorf("updated stayed %v", got.Updated)
		}
		want := *before
		want.Label, want.Updated = "Acme", got.Updated
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("update of the label:\n%s", diff)
		}

		got, err = e.Packs.Update(t.Context(), "acme", store.PackChanges{
			Description: metadata.Some[*string](nil), Tags: metadata.Some[[]string](nil),
			Config: metadata.Some[json.RawMessage](nil), IsStandard: metadata.Some(true),
		})
		if err != nil {
			t.Fatal(err)
		}
		want.Description, want.Tags, want.Config, want.IsStandard = nil, []string{}, json.RawMessage("{}"), true
		want.Updated = got.Updated
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("update to nothing:\n%s", diff)
		}

		backdate(t, e, "pack")
		before, _ = e.Packs.ByRef(t.Context(), "acme")
		got, err = e.Packs.Update(t.Context(), "acme", store.PackChanges{})
		if err != nil || !got.Updated.After(before.Updated) {
			t.Errorf("an update of nothing gave %v, %v; want updated to move on", got, err)
		}
	})
}

// backdate makes the rows of a table an hour old.
func backdate(t *testing.T, e env, table string) {
	t.Helper()
	old := "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-1 hour')"
	if e.postgres {
		old = "CURRENT_TIMESTAMP - interval '1 hour'"
	}
	e.exec(t, "UPDATE {schema}."+table+" SET created = "+old+", updated = "+old)
}

func TestPackUpsertKeepsIDAndCreated(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		first := pack("acme")
		first.Tags, first.Description = []string{"x"}, ptr("first")
		if err := e.Packs.Upsert(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		backdate(t, e, "pack")
		first, _ = e.Packs.ByRef(t.Context(), "acme")

		second := pack("acme")
		second.Version = "2.0.0"
		if err := e.Packs.Upsert(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if second.ID != first.ID || !second.Created.Equal(first.Created) || !second.Updated.After(first.Updated) {
			t.Errorf("got id %d created %v updated %v, want %d, %v and later than %v",
				second.ID, second.Created, second.Updated, first.ID, first.Created, first.Updated)
		}
		if second.Version != "2.0.0" || second.Description != nil || len(second.Tags) != 0 {
			t.Errorf("got %+v, want every value of the second", second)
		}
	})
}

func TestListPages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		// The order of bytes: many collations would put a-c before a.b, or ignore
		// the dash.
		want := []string{"a-c", "a_c", "ab", "b", "zz"}
		for _, i := range []int{3, 0, 4, 2, 1} {
			if err := e.Packs.Create(t.Context(), pack(want[i])); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		after := ""
		for pages := 0; ; pages++ {
			rows, err := e.Packs.List(t.Context(), store.Page{After: after, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				if pages != 3 {
					t.Errorf("got %d pages, want 3", pages)
				}
				break
			}
			for _, r := range rows {
				got = append(got, r.Ref)
			}
			after = rows[len(rows)-1].Ref
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by pages:\n%s", diff)
		}
		all, err := e.Packs.List(t.Context(), store.Page{})
		if err != nil || len(all) != len(want) {
			t.Errorf("got %d rows, %v; want all %d", len(all), err, len(want))
		}
	})
}

// refusal returns the names of the sentinels that an error wraps.
func refusal(err error) string {
	var kinds []string
	for name, sentinel := range map[string]error{
		"not found": store.ErrNotFound, "duplicate": store.ErrDuplicate,
		"referenced": store.ErrReferenced, "invalid": store.ErrInvalid, "live": store.ErrLive, "superseded": store.ErrSuperseded,
	} {
		if errors.Is(err, sentinel) {
			kinds = append(kinds, name)
		}
	}
	return strings.Join(kinds, "+")
}

// wantError checks the kind of an error and how its message begins.
func wantError(t *testing.T, err error, kind, message string) {
	t.Helper()
	if got := refusal(err); got != kind {
		t.Errorf("got error %v of kind %q, want kind %q", err, got, kind)
	}
	if err != nil && !strings.HasPrefix(err.Error(), message) {
		t.Errorf("got message %q, want it to begin with %q", err, message)
	}
}

func TestPackErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		if err := e.Packs.Create(ctx, pack("acme")); err != nil {
			t.Fatal(err)
		}
		wantError(t, e.Packs.Create(ctx, pack("acme")), "duplicate", `insert pack "acme": duplicate ref`)
		_, err := e.Packs.Get(ctx, 99)
		wantError(t, err, "not found", `get pack 99: not found`)
		_, err = e.Packs.ByRef(ctx, "none")
		wantError(t, err, "not found", `get pack "none": not found`)
		_, err = e.Packs.ByRef(ctx, "a\x00')")
		wantError(t, err, "not found", `get pack "a\x00')": not found`)
		_, err = e.Packs.Update(ctx, "none", store.PackChanges{Label: metadata.Some("x")})
		wantError(t, err, "not found", `update pack "none": not found`)
		wantError(t, e.Packs.Delete(ctx, "none"), "not found", `delete pack "none": not found`)

		nul, broken := pack("nul"), pack("broken")
		nul.Label = "a\x00')"
		wantError(t, e.Packs.Create(ctx, nul), "invalid", `insert pack "nul": invalid label: must not contain a NUL`)
		broken.Config = json.RawMessage(`{"a": `)
		wantError(t, e.Packs.Upsert(ctx, broken), "invalid", `upsert pack "broken": invalid config: must be a JSON document`)
		_, err = e.Packs.Update(ctx, "acme", store.PackChanges{Tags: metadata.Some([]string{"\xff"})})
		wantError(t, err, "invalid", `update pack "acme": invalid tags: must be UTF-8`)
	})
}
