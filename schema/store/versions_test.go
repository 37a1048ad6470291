package store_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func TestRuntimeVersions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		_, acme := owned(t, e, "acme")
		_, other := owned(t, e, "other")
		var made *schema.RuntimeVersion
		for _, v := range []string{"3.9", "3.10.1", "3.10", "3.13.0-rc1"} {
			made = &schema.RuntimeVersion{Runtime: acme, Version: v, SortKey: "of the caller"}
			decode(t, `{"verification": {"commands": [{"binary": "ruby`+v+`"}]}}`, &made.Distributions)
			if err := e.RuntimeVersions.Create(t.Context(), made); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.RuntimeVersions.Create(t.Context(), &schema.RuntimeVersion{Runtime: other, Version: "9"}); err != nil {
			t.Fatal(err)
		}
		got, err := e.RuntimeVersions.Get(t.Context(), made.ID)
		if diff := cmp.Diff(made, got, byMeaning); err != nil || diff != "" {
			t.Errorf("Get: %v\n%s", err, diff)
		}
		got, err = e.RuntimeVersions.ByRef(t.Context(), "acme.ruby", "3.13.0-rc1")
		if diff := cmp.Diff(made, got, byMeaning); err != nil || diff != "" {
			t.Errorf("ByRef: %v\n%s", err, diff)
		}

		newestFirst := []string{"3.13.0-rc1", "3.10.1", "3.10", "3.9"}
		list, err := e.RuntimeVersions.ByRuntime(t.Context(), "acme.ruby")
		if diff := cmp.Diff(newestFirst, versions(list)); err != nil || diff != "" {
			t.Errorf("ByRuntime: %v\n%s", err, diff)
		}

		backdate(t, e, "runtime_version")
		before, _ := e.RuntimeVersions.Get(t.Context(), made.ID)
		got, err = e.RuntimeVersions.Update(t.Context(), made.ID, store.RuntimeVersionChanges{
			IsDefault: metadata.Some(true), Meta: metadata.Some(json.RawMessage(`{"eol":true}`)),
		})
		if err != nil || !got.Updated.After(before.Updated) {
			t.Fatalf("got %+v, %v; want updated to move on", got, err)
		}
		want := *before
		want.IsDefault, want.Updated = true, got.Updated
		want.Meta, got.Meta = nil, json.RawMessage(meaning(t, got.Meta))
		if string(got.Meta) != `{"eol":true}` {
			t.Errorf("got meta %s", got.Meta)
		}
		got.Meta = nil
		if diff := cmp.Diff(&want, got, byMeaning); diff != "" {
			t.Errorf("update:\n%s", diff)
		}

		again := &schema.RuntimeVersion{Runtime: acme, Version: "3.13.0-rc1"}
		if err := e.RuntimeVersions.Upsert(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		if again.ID != made.ID || again.IsDefault || !again.Distributions.IsZero() || string(again.Meta) != "{}" {
			t.Errorf("got %+v, want every value of the upserted row under id %d", again, made.ID)
		}
		if err := e.RuntimeVersions.Delete(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		_, err = e.RuntimeVersions.Get(t.Context(), made.ID)
		wantError(t, err, "not found", "get runtime version ")
	})
}

func versions(rows []schema.RuntimeVersion) []string {
	var list []string
	for _, r := range rows {
		list = append(list, r.Version)
	}
	return list
}

func TestRuntimeVersionErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		_, acme := owned(t, e, "acme")
		if err := e.RuntimeVersions.Create(ctx, &schema.RuntimeVersion{Runtime: acme, Version: "3.1"}); err != nil {
			t.Fatal(err)
		}
		wantError(t, e.RuntimeVersions.Create(ctx, &schema.RuntimeVersion{Runtime: acme, Version: "3.1"}),
			"duplicate", `insert runtime version "3.1": duplicate version`)
		wantError(t, e.RuntimeVersions.Create(ctx, &schema.RuntimeVersion{Runtime: acme, Version: "newest"}),
			"invalid", `insert runtime version "newest": invalid version: `)
		wantError(t, e.RuntimeVersions.Create(ctx, &schema.RuntimeVersion{Runtime: 99, Version: "3.1"}),
			"invalid", `insert runtime version "3.1": invalid: `)
		_, err := e.RuntimeVersions.ByRef(ctx, "acme.ruby", "9")
		wantError(t, err, "not found", `get runtime version "acme.ruby 9": not found`)
		_, err = e.RuntimeVersions.Update(ctx, 99, store.RuntimeVersionChanges{})
		wantError(t, err, "not found", `update runtime version 99: not found`)
		wantError(t, e.RuntimeVersions.Delete(ctx, 99), "not found", `delete runtime version 99: not found`)
	})
}
