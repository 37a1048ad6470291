package service_test

import (
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/service"
)

// TestWhatIsBrokenIsSaidOnce checks that an executable that fails is logged once, and a
// missing one never.
func TestWhatIsBrokenIsSaidOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		b.define("absent", `{"verification": {"commands": [{"binary": "absent", "args": ["--version"]}]}}`)
		b.install("alpha", "echo alpha: no libalpha.so >&2; exit 127")
		cfg := b.config()
		cfg.FullEvery = 1
		svc := b.start(cfg)
		b.step(svc)
		b.pass(svc, 3*round)
		b.has("beta@2.0.0")
		if n := strings.Count(b.log.String(), "outcome=exit_mismatch"); n != 1 || !strings.Contains(b.log.String(), "alpha: no libalpha.so") {
			t.Errorf("that alpha is broken is said %d times:\n%s", n, b.log)
		}
		if strings.Contains(b.log.String(), "t.absent") {
			t.Errorf("what is not there is said:\n%s", b.log)
		}
	})
}

// TestRubbishInOneDefinition checks that a definition whose document is not an object makes
// only its own runtime undetermined.
func TestRubbishInOneDefinition(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		svc := b.start(b.config())
		b.step(svc)
		b.has("alpha@1.0.0", "beta@2.0.0")
		testdb.Unguard(t, db, db.Schema) // the row is older than they are
		if _, err := b.db.NewRaw("UPDATE runtime SET execution_config = '[]' WHERE ref = 't.alpha'").Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.install("beta", "echo beta 2.1.0")
		svc.Refresh()
		b.step(svc)
		b.has("alpha@1.0.0?", "beta@2.1.0") // it is kept, unconfirmed
		if want := `msg="execution_config: must be an object, got a list" role=worker name=` + b.name + " ref=t.alpha outcome=invalid_metadata"; strings.Count(b.log.String(), want) != 1 {
			t.Errorf("the log lacks %s:\n%s", want, b.log)
		}
		b.pass(svc, service.DefaultUnconfirmedFor+round)
		b.has("beta@2.1.0")
	})
}
