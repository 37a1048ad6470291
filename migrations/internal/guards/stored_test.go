package guards_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
)

// SQLite accepts a row whose format is wrong. The store reads it with the others, and the detector reports it
// as invalid metadata.
func TestFormatsAreJudgedWhenARowIsRead(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := testdb.SQLite(t)
	rows := []struct{ ref, name, aliases, distributions, pointer string }{
		{"t.good", "Good", `["good"]`, `{"verification": {"always_available": true}}`, ""},
		{"t.pattern", "X", `[]`, `{"verification": {"commands": [{"binary": "x", "pattern": "("}]}}`, "/verification/commands/0/pattern"},
		{"t.binary", "X", `[]`, `{"verification": {"commands": [{"binary": "x --version"}]}}`, "/verification/commands/0/binary"},
		{"t.env", "X", `[]`, `{"verification": {"env": ["A=B"]}}`, "/verification/env/0"},
		{"t.version", "X", `[]`, `{"min_version": "latest"}`, "/min_version"},
		{"t.digits", "X", `[]`, `{"x": 1e1000}`, "/x"},
		{"t.exact", "X", `[]`, `{"verification": {"commands": [{"binary": "x", "exit_code": 1.00000000000000000001}]}}`, "/verification/commands/0/exit_code"},
		{"t.name", "a\u0085b", `[]`, `{}`, "/name"},
		{"t.alias", "X", `["a,b"]`, `{}`, "/aliases/0"},
	}
	for _, r := range rows {
		if _, err := db.NewRaw("INSERT INTO runtime (ref, name, aliases, distributions) VALUES (?, ?, ?, ?)", r.ref, r.name, r.aliases, r.distributions).
			Exec(ctx); err != nil {
			t.Errorf("%s: %v", r.ref, err)
		}
	}
	definitions, err := store.New(db.DB, store.Config{}).Definitions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	detector, err := detect.New(definitions, detect.Config{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	caps, err := detector.Detect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range caps.Undetected {
		if a.Outcome == capability.InvalidMetadata {
			got[a.Ref] = a.Detail
		}
	}
	for _, r := range rows {
		if r.pointer == "" {
			if len(caps.Detected) != 1 || caps.Detected[0].Ref != r.ref {
				t.Errorf("detected %v", caps.Detected)
			}
			continue
		}
		if detail, ok := got[r.ref]; !ok || !strings.Contains(detail, r.pointer+": ") {
			t.Errorf("%s: want invalid metadata at %s, got %q", r.ref, r.pointer, detail)
		}
	}
	if len(got) != len(rows)-1 {
		t.Error(fmt.Sprint(got))
	}
}
