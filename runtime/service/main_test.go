package service_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets more tests run beside each other than there are processors: most of them
// wait for a time to pass.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
