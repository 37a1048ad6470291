package main

import (
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// TestExplainAdvisesReload where the service's settings decide, and refresh where
// they do not.
func TestExplainAdvisesReload(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		absent := func(outcome capability.Outcome) []capability.Absence {
			return []capability.Absence{{Ref: "core.ruby", Name: "ruby", Outcome: outcome, Detail: "why it is so"}}
		}
		reports.Register(t, db, metadata.Worker, "denied", &capability.Document{Undetected: absent(capability.DeniedByPolicy)})
		reports.Register(t, db, metadata.Sensor, "eyes", &capability.Document{Undetected: absent(capability.DeniedByPolicy)})
		reports.Register(t, db, metadata.Worker, "missing", &capability.Document{Undetected: absent(capability.NotFound)})
		reports.Register(t, db, metadata.Worker, "nameless", &capability.Document{Source: capability.SourceConfig, Undetected: absent(capability.NoVerification)})
		reports.Register(t, db, metadata.Worker, "undeclared", &capability.Document{Source: capability.SourceEnvironment, Undetected: absent(capability.NoVerification)})
		reports.Register(t, db, metadata.Worker, "gone", &capability.Document{Undetected: absent(capability.DeniedByPolicy)})
		silence(t, db, "gone", 120)
		reports.Register(t, db, metadata.Worker, "partly", &capability.Document{
			Detected: []capability.Installation{python("3.9.2", "/usr/bin/python3")},
			Failed: []capability.Failure{{Ref: "core.python", Name: "python", Path: "/opt/python3", RealPath: "/opt/python3", Outcome: capability.DeniedByPolicy,
				Detail: "the host's policy denies it", VerifiedAt: time.Now()}},
		})
		const refresh, reload = "makes it verify again", "reload the service there (SIGHUP, `systemctl reload attune-worker`)"
		for _, c := range []struct{ args, helps, not string }{
			{"denied ruby", reload, refresh},
			{"eyes ruby", "systemctl reload attune-sensor", refresh},
			{"missing ruby", refresh, "reload"},
			{"missing ruby", "it reads PATH only then", "reload"},
			{"nameless ruby", reload, refresh},
			{"undeclared ruby", "start the service there again", refresh},
			{"gone ruby", "start the service there: it verifies everything then", "reload"},
			{"declared ruby", reload, refresh},           // its config names others
			{"declared python@>=3", reload, refresh},     // verify_declared is a setting
			{"partly python@3.12", reload, "no refresh"}, // and what is installed is seen by a refresh
			{"partly python@3.12", refresh, "no reload"},
		} {
			got := run(t, append([]string{"explain"}, strings.Fields(c.args)...)...)
			want(t, got, 0, c.helps)
			if strings.Contains(got.out, c.not) {
				t.Errorf("%s: it advises %q:\n%s", c.args, c.not, got.out)
			}
		}
	})
}
