package service_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
)

// found returns what is written of capabilities, and the document in it.
func found(t *testing.T, caps *capability.Document) (*store.Capabilities, *capability.Document) {
	t.Helper()
	out, err := service.CapabilitiesOf(caps, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var doc capability.Document
	if err := json.Unmarshal(out.Document, &doc); err != nil {
		t.Fatal(err)
	}
	return out, &doc
}

// leftOut returns how many of something a warning of the document says are left out.
func leftOut(t *testing.T, doc *capability.Document, of string) (n int) {
	t.Helper()
	i := slices.IndexFunc(doc.Warnings, func(w string) bool { return strings.Contains(w, of) })
	if i < 0 {
		t.Fatalf("no warning has %q: %.300q", of, doc.Warnings)
	}
	if _, err := fmt.Sscanf(strings.TrimPrefix(doc.Warnings[i], "the evidence on "), "%d", &n); err != nil {
		t.Fatalf("%q: %v", doc.Warnings[i], err)
	}
	return n
}

func TestDocumentIsBounded(t *testing.T) {
	t.Parallel()
	const each, size = 1000, 4 << 10
	caps := &capability.Document{Format: capability.Format}
	for i := range each {
		ref, text := fmt.Sprintf("evil.r%d", i), strings.Repeat("a", size)
		caps.Undetected = append(caps.Undetected, capability.Absence{Ref: ref, Name: "x", Outcome: capability.NotFound, Detail: text})
		caps.Failed = append(caps.Failed, capability.Failure{Ref: ref, Name: "x", Outcome: capability.NotFound, Detail: text})
		caps.Detected = append(caps.Detected, capability.Installation{Ref: ref, Name: "x", Outcome: capability.Available, VersionRaw: text})
	}
	caps.Detected = append(caps.Detected, capability.Installation{Ref: "core.python", Name: "python", Outcome: capability.Available})
	out, doc := found(t, caps)
	const most = 4<<20 + 64<<10 // 64 KiB for what is beside the entries
	if len(out.Document) > most || len(out.Document) < 3<<20 {
		t.Errorf("the document has %d bytes", len(out.Document))
	}
	kept := len(doc.Detected) + len(doc.Undetected) + len(doc.Failed)
	if n := leftOut(t, doc, "entries are left out: the document"); n == 0 || n+kept != 3*each+1 {
		t.Errorf("%d entries are kept and %d left out of %d", kept, n, 3*each+1)
	}
	if !slices.ContainsFunc(doc.Detected, func(d capability.Installation) bool { return d.Ref == "core.python" }) {
		t.Error("the core pack's runtime is left out, though it is the last")
	}
	if !slices.ContainsFunc(out.Runtimes, func(r schema.WorkerRuntime) bool { return r.RuntimeRef == "core.python" }) || len(out.Runtimes) > kept {
		t.Errorf("there are %d rows for %d entries", len(out.Runtimes), kept)
	}
	if len(caps.Detected) != each+1 || len(caps.Warnings) != 0 {
		t.Error("the capabilities that were given have changed")
	}
}

func TestWarningsAreBounded(t *testing.T) {
	t.Parallel()
	caps := &capability.Document{Format: capability.Format}
	for range 1000 {
		caps.Warnings = append(caps.Warnings, strings.Repeat("w", 1<<10))
	}
	out, doc := found(t, caps)
	if len(out.Document) > 300<<10 {
		t.Errorf("the document has %d bytes", len(out.Document))
	}
	if n, kept := leftOut(t, doc, "more warnings are left out"), len(doc.Warnings)-1; n == 0 || kept == 0 || n+kept != 1000 {
		t.Errorf("%d warnings are kept and %d left out", kept, n)
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	t.Parallel()
	attempts := make([]capability.Attempt, 60)
	for i := range attempts {
		attempts[i] = capability.Attempt{Path: fmt.Sprint("/", i), Outcome: capability.NotFound, Output: strings.Repeat("o", 2<<10)}
	}
	caps := &capability.Document{Format: capability.Format}
	const rows = 200
	for i := range rows {
		caps.Undetected = append(caps.Undetected, capability.Absence{Ref: fmt.Sprintf("evil.r%d", i), Name: "x", Outcome: capability.NotFound, Attempts: attempts})
	}
	out, doc := found(t, caps)
	sum, with := 0, 0
	for _, r := range out.Runtimes {
		if sum += len(r.Evidence); r.Evidence == nil {
			continue
		}
		with++
		var kept []capability.Attempt
		if err := json.Unmarshal(r.Evidence, &kept); err != nil || len(kept) != 50 || kept[0].Path != "/0" {
			t.Fatalf("%s has %d attempts, %v; want the first 50", r.RuntimeRef, len(kept), err)
		}
	}
	if sum > 8<<20 || with == 0 || len(out.Runtimes) != rows {
		t.Errorf("%d of %d rows have %d bytes of evidence", with, len(out.Runtimes), sum)
	}
	if n := leftOut(t, doc, "the evidence on"); n == 0 || n+with != rows {
		t.Errorf("%d rows have evidence and %d have not", with, n)
	}
}
