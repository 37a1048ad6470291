package answer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/metadata"
)

func verification(commands ...metadata.Command) metadata.Distributions {
	return metadata.Distributions{Verification: &metadata.Verification{Commands: commands}}
}

func TestRuntimeRowOf(t *testing.T) {
	t.Parallel()
	ruby := metadata.Command{Binary: "ruby", Args: []string{"--version"}}
	reading := verification(ruby)
	reading.Verification.VersionFile = &metadata.VersionFile{Path: "VERSION", Pattern: `(\d+)`}
	always, unverified := verification(), verification(ruby)
	always.Verification.AlwaysAvailable = true
	unverified.Verification.CheckRequired = metadata.Some(false)
	step := answer.VerificationStep{Command: []string{"ruby", "--version"}}
	for name, c := range map[string]struct {
		def   metadata.Definition
		kind  answer.VerificationKind
		steps []answer.VerificationStep
	}{
		"steps": {metadata.Definition{Distributions: reading, Versions: []metadata.VersionDefinition{{Version: "3.2", Distributions: reading}}},
			answer.VerifiedBySteps, []answer.VerificationStep{step, {File: "VERSION"}}},
		"versions": {metadata.Definition{Versions: []metadata.VersionDefinition{{Version: "3.2", Distributions: verification(ruby)}}},
			answer.VerifiedByVersions, []answer.VerificationStep{step}},
		"always":     {metadata.Definition{Distributions: always}, answer.AlwaysAvailable, nil},
		"unverified": {metadata.Definition{Distributions: unverified}, answer.Unverified, nil},
		"none":       {metadata.Definition{}, answer.NotVerifiable, nil},
		"malformed":  {metadata.Definition{Distributions: verification(metadata.Command{})}, answer.Malformed, nil},
	} {
		c.def.Ref, c.def.Name, c.def.Aliases = "acme.ruby", "Ruby", metadata.Aliases{"ruby", "rb"}
		got := answer.RuntimeRowOf(&c.def)
		if got.Verification != c.kind || !cmp.Equal(got.Steps, append([]answer.VerificationStep{}, c.steps...)) ||
			(got.Fault != "") != (c.kind == answer.Malformed) {
			t.Errorf("%s: got %+v", name, got)
		}
		if got.Name != "ruby" || !cmp.Equal(got.Also, []string{"rb"}) || !cmp.Equal(got.Roles, []metadata.Role{metadata.Worker, metadata.Sensor}) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestRuntimesPage(t *testing.T) {
	t.Parallel()
	defs := []metadata.Definition{{Ref: "acme.a"}, {Ref: "acme.b", PackRef: "other"}, {Ref: "core.c"}}
	for _, c := range []struct {
		query answer.RuntimesQuery
		want  []string
	}{
		{answer.RuntimesQuery{}, []string{"acme.a", "acme.b", "core.c"}},
		{answer.RuntimesQuery{Limit: 2}, []string{"acme.a", "acme.b"}},
		{answer.RuntimesQuery{After: "acme.a"}, []string{"acme.b", "core.c"}},
		{answer.RuntimesQuery{Pack: "acme"}, []string{"acme.a", "acme.b"}},
		{answer.RuntimesQuery{Pack: "other"}, []string{"acme.b"}},
		{answer.RuntimesQuery{After: "z"}, []string{}},
	} {
		got := []string{}
		for _, d := range c.query.Page(defs) {
			got = append(got, d.Ref)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.query, diff)
		}
	}
	if page := (answer.RuntimesQuery{}).Page(nil); page == nil {
		t.Error("an empty page is nil")
	}
}
