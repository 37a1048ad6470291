package detect_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// TestManySlowLooks: definitions of a database with absolute paths on a slow file system do
// not take all places for looks from the core pack.
func TestManySlowLooks(t *testing.T) {
	var texts []string
	for i := range 200 {
		texts = append(texts, fmt.Sprintf(
			`{"ref": "acme.t%d", "name": "t", "distributions": {"verification": {"commands": [{"binary": "/slow/t%[1]d", "args": ["--version"]}]}}}`, i))
	}
	var mu sync.Mutex
	now, most := 0, 0
	h := withTools(t)
	caps := detectOn(t, overridden{Host: h, lookup: func(binary string) []host.Candidate {
		if !strings.HasPrefix(binary, "/slow/") {
			return h.Lookup(binary)
		}
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		return nil
	}}, detect.Config{}, defsOf(t, texts...)...)
	if got := outcomes(caps)["acme.t199"]; got != capability.NotFound {
		t.Errorf("acme.t199 is %s, want not_found", got)
	}
	if most > 2 {
		t.Errorf("%d looks of untrusted definitions at once, want 2", most)
	}
}
