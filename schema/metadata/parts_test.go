package metadata_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/metadata"
)

// TestEachTypeByItself: the standard library's encoder can read and write every type of the document alone.
func TestEachTypeByItself(t *testing.T) {
	for _, tt := range []struct {
		into any
		doc  string
	}{
		{new(metadata.VersionDefinition), `{"version":"3.1","is_default":true,"meta":{"a":1},"x":1.50}`},
		{new(metadata.Distributions), `{"min_version":"1","roles":["sensor"],"x":1.50}`},
		{new(metadata.Verification), `{"check_required":true,"env":["A"],"x":1.50}`},
		{new(metadata.Command), `{"binary":"x","args":["\u0001\t\n\"\\é"],"timeout":"1m0s","x":1.50}`},
		{new(metadata.VersionFile), `{"path":"../release","pattern":"(v)","x":1.50}`},
		{new(metadata.ExecutionConfig), `{"interpreter":{},"env_vars":[],"x":1.50}`},
		{new(metadata.Interpreter), `{"binary":"x","args":["-u"],"x":1.50}`},
		{new(metadata.Aliases), `["a","b"]`},
	} {
		if err := json.Unmarshal([]byte(tt.doc), tt.into); err != nil {
			t.Errorf("%T: %v", tt.into, err)
			continue
		}
		got, err := json.Marshal(tt.into)
		if err != nil || string(got) != tt.doc {
			t.Errorf("%T: %s came back as %s, %v", tt.into, tt.doc, got, err)
		}
		// A second document replaces the first.
		if err := json.Unmarshal([]byte("null"), tt.into); err != nil {
			t.Errorf("%T: null: %v", tt.into, err)
		}
	}
}

func TestDuplicateKeysOfLargeObjects(t *testing.T) {
	var members []string
	for i := range 40 {
		members = append(members, fmt.Sprintf(`"k%d": %d`, i, i))
	}
	for _, again := range []string{"k0", "k16", "k17", "k39"} {
		doc := "{" + strings.Join(members, ", ") + `, "` + again + `": 0}`
		var d metadata.Distributions
		want := "/" + again + ": duplicate key"
		if err := d.UnmarshalJSON([]byte(doc)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	var d metadata.Distributions
	if err := d.UnmarshalJSON([]byte("{" + strings.Join(members, ", ") + "}")); err != nil || len(d.Unknown) != 40 {
		t.Errorf("%d keys, %v", len(d.Unknown), err)
	}
}

// TestTruncated: no truncated document is accepted.
func TestTruncated(t *testing.T) {
	for i := range len(full) {
		var d metadata.Definition
		if err := d.UnmarshalJSON([]byte(full[:i])); err == nil {
			t.Errorf("the first %d bytes were read", i)
		}
	}
}

func TestVersionDigestAndFaults(t *testing.T) {
	a, b := decodeDefinition(t, full), decodeDefinition(t, strings.Replace(full, `"is_default": true`, `"is_default": false`, 1))
	if a.Versions[0].Digest() == b.Versions[0].Digest() || a.Versions[0].Digest() != ptr(decodeDefinition(t, full)).Versions[0].Digest() {
		t.Error("the digest of a version does not tell versions apart")
	}
	var bad metadata.ExecutionConfig
	if err := bad.Scan(`[1]`); err != nil || bad.Fault() == nil || bad.IsZero() {
		t.Errorf("scan: %v, fault %v", err, bad.Fault())
	}
	b.Versions[0].ExecutionConfig = bad
	want := "/versions/0/execution_config: must be an object, got a list"
	if err := b.Fault(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	alike, again := bad, decodeDefinition(t, full).ExecutionConfig
	if bad.Equal(again) || !bad.Equal(alike) || !a.ExecutionConfig.Equal(again) {
		t.Error("execution configs are equal that are not, or not that are")
	}
}
