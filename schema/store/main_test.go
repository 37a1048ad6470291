package store_test

import (
	"flag"
	"os"
	"testing"

	"github.com/attune-go/attune/schema/store"
)

// TestMain lets more tests run beside each other than there are processors: each waits for
// the server most of the time.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" {
		*store.HashedLabels = 3 // benchmarks have fleets of real sizes
	}
	os.Exit(m.Run())
}
