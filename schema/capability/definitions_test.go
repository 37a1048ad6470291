package capability_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

func TestNotFound(t *testing.T) {
	t.Parallel()
	read := time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)
	ruby := &metadata.Definition{Ref: "core.ruby", Name: "Ruby", Distributions: metadata.Distributions{Verification: &metadata.Verification{Commands: []metadata.Command{
		{Binary: "ruby3", Args: []string{"--version"}, Priority: metadata.Some(2)}, {Binary: "ruby", Args: []string{"-v"}, Priority: metadata.Some(1)}, {Binary: "/opt/ruby", Optional: true},
	}}}}
	sensors := &metadata.Definition{Ref: "core.eye", Name: "Eye", Distributions: metadata.Distributions{Roles: []metadata.Role{metadata.Sensor}}}
	document := func(change func(d *capability.Document)) *capability.Document {
		d := &capability.Document{
			Source: capability.SourceDatabase, Host: capability.Host{Path: []string{"/usr/bin", "/bin"}}, Definitions: &capability.Definitions{Read: read},
			Detected:   []capability.Installation{{Ref: "core.python", Name: "python", Outcome: capability.Available}},
			Undetected: []capability.Absence{{Ref: "core.perl", Name: "perl", Outcome: capability.Timeout}},
		}
		if change != nil {
			change(d)
		}
		return d
	}
	for name, c := range map[string]struct {
		document *capability.Document
		def      *metadata.Definition
		role     metadata.Role
		created  time.Time
		absent   bool
	}{
		"asked":                  {document(nil), ruby, metadata.Worker, read, true},
		"asked as any role":      {document(nil), ruby, "", time.Time{}, true},
		"created later":          {document(nil), ruby, metadata.Worker, read.Add(time.Millisecond), false},
		"for the other role":     {document(nil), sensors, metadata.Worker, read, false},
		"no definition":          {document(nil), nil, metadata.Worker, read, false},
		"available":              {document(nil), &metadata.Definition{Ref: "core.python"}, metadata.Worker, read, false},
		"has an entry":           {document(nil), &metadata.Definition{Ref: "core.perl"}, metadata.Worker, read, false},
		"of an earlier release":  {document(func(d *capability.Document) { d.Definitions = nil }), ruby, metadata.Worker, read, false},
		"by the host's settings": {document(func(d *capability.Document) { d.Source = capability.SourceConfig }), ruby, metadata.Worker, read, false},
		"without any document":   {nil, ruby, metadata.Worker, read, false},
	} {
		got := c.document.NotFound(c.def, c.role, c.created)
		if (got != nil) != c.absent {
			t.Errorf("%s: %+v, want absent %v", name, got, c.absent)
		}
	}
	got := document(nil).NotFound(ruby, metadata.Worker, read)
	const hint = ", or add its folder to this service's PATH"
	want := &capability.Absence{
		Ref: "core.ruby", Name: "ruby", Outcome: capability.NotFound, Hint: "install one of them" + hint,
		Detail: "ruby, ruby3 are in none of the 2 folders of PATH; no executable file at /opt/ruby",
		Attempts: []capability.Attempt{
			{Command: []string{"ruby", "-v"}, Outcome: capability.NotFound, Detail: "ruby is in none of the 2 folders of PATH", Hint: "install ruby" + hint},
			{Command: []string{"ruby3", "--version"}, Outcome: capability.NotFound, Detail: "ruby3 is in none of the 2 folders of PATH", Hint: "install ruby3" + hint},
			{Command: []string{"/opt/ruby"}, Optional: true, Outcome: capability.NotFound, Detail: "no executable file at /opt/ruby", Hint: "install it"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
