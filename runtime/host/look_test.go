//go:build unix

package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/host"
)

// stuck stands in for file systems that hang. Looks at its places wait until it releases
// them.
type stuck struct {
	mu     sync.Mutex
	places map[string]chan struct{}
	waited map[string]int
}

// hangAt makes places of a host hang, for as long as the test runs.
func hangAt(t *testing.T, h *host.LocalHost, places ...string) *stuck {
	t.Helper()
	s := &stuck{places: map[string]chan struct{}{}, waited: map[string]int{}}
	for _, p := range places {
		s.places[p] = make(chan struct{})
	}
	host.SetLooks(h, 200*time.Millisecond, func(place string) {
		s.mu.Lock()
		gate := s.places[place]
		if gate != nil {
			s.waited[place]++
		}
		s.mu.Unlock()
		if gate != nil {
			<-gate
		}
	})
	t.Cleanup(func() {
		for _, p := range places {
			s.release(p)
		}
	})
	return s
}

func (s *stuck) release(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if gate := s.places[place]; gate != nil {
		close(gate)
		delete(s.places, place)
	}
}

func (s *stuck) waiting(place string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waited[place]
}

func places(h *host.LocalHost) (out []string) {
	for _, hang := range h.Hanging() {
		out = append(out, hang.Place)
	}
	return out
}

// TestLookupLeavesOutWhatHangs: Lookup names the folder that hangs and finds the rest.
func TestLookupLeavesOutWhatHangs(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/dead/tool", "#!/bin/sh\n", 0o755)
	put(t, dir+"/alive/tool", "#!/bin/sh\n", 0o755)
	h := withPath("/", dir+"/dead", dir+"/alive")
	s := hangAt(t, h, dir+"/dead")
	found := h.Lookup("tool")
	if len(found) != 2 || !errors.Is(found[0].Unseen(), host.ErrHangs) || found[1].Path != dir+"/alive/tool" || found[1].Fault != "" {
		t.Fatalf("got %+v, want what hangs and what is there", found)
	}
	if got := h.Lookup("none"); len(got) != 1 || !errors.Is(got[0].Unseen(), host.ErrHangs) || !strings.Contains(got[0].Fault, dir+"/dead") {
		t.Errorf("a name that is nowhere else: got %+v, want the folder that hangs", got)
	}
	if got := places(h); !slices.Equal(got, []string{dir + "/dead"}) {
		t.Errorf("%q hang, want the dead folder", got)
	}
	if n := s.waiting(dir + "/dead"); n > 2 {
		t.Errorf("%d looks wait in the dead folder, and one after the other was made", n)
	}
}

// TestALookWithoutAProcessor: a look that has not begun hangs nowhere.
func TestALookWithoutAProcessor(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/tool", "#!/bin/sh\n", 0o755)
	h := withPath("/", dir)
	hangAt(t, h)
	found := host.Glance(h, func(h *host.LocalHost) []host.Candidate {
		time.Sleep(time.Second) // five times the patience
		return h.Lookup("tool")
	})
	if len(found) != 1 || found[0].Fault != "" || len(places(h)) > 0 {
		t.Errorf("got %+v, and %q hang, want the tool alone", found, places(h))
	}
}

// TestWhatHangsIsNotDenied: a policy says that it could not look at an executable, because
// absence would be wrong.
func TestWhatHangsIsNotDenied(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/dead/tool", "#!/bin/sh\n", 0o755)
	put(t, dir+"/script", "#!"+dir+"/dead/tool\n", 0o755)
	h := withPath("/", dir)
	hangAt(t, h, dir+"/dead")
	for _, path := range []string{dir + "/dead/tool", dir + "/script"} {
		policy, err := host.NewPolicy(host.PolicyConfig{})
		if err != nil {
			t.Fatal(err)
		}
		d := policy.Decide(host.Command{Binary: "tool", Args: []string{"--version"}}, host.Candidate{Path: path, RealPath: path}, h)
		if d.Allowed || !errors.Is(d.Unseen, host.ErrHangs) {
			t.Errorf("%s: got %+v, want a denial until it answers", path, d)
		}
		policy, err = host.NewPolicy(host.PolicyConfig{Deny: []string{"tool"}})
		if err != nil {
			t.Fatal(err)
		}
		d = policy.Decide(host.Command{Binary: "tool", Args: []string{"--version"}}, host.Candidate{Path: path, RealPath: path}, h)
		if d.Allowed || d.Unseen != nil {
			t.Errorf("%s: got %+v, want a denial for good", path, d)
		}
	}
}

// TestNobodyLooksWhereAnotherHangs: there are no further looks into a folder that hangs.
func TestNobodyLooksWhereAnotherHangs(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/dead/tool", "#!/bin/sh\n", 0o755)
	h := withPath("/", dir+"/dead")
	s := hangAt(t, h, dir+"/dead")
	h.Lookup("first")
	before := s.waiting(dir + "/dead")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { h.Lookup("tool") })
		all.Go(func() { h.Resolve(dir + "/dead/tool") })
		all.Go(func() { h.Glob(dir + "/dead/*") })
		all.Go(func() { h.Program(dir + "/dead/tool") })
		all.Go(func() { _, _ = h.Stat(dir + "/dead/tool") })
		all.Go(func() { h.Writable(dir + "/dead/tool") })
	}
	all.Wait()
	if after := s.waiting(dir + "/dead"); after != before {
		t.Errorf("%d more looks were made into a folder that hangs", after-before)
	}
}

// TestWhatAnswersAgainIsLookedAtAgain: a place counts again after the look has returned.
func TestWhatAnswersAgainIsLookedAtAgain(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/dead/tool", "#!/bin/sh\n", 0o755)
	h := withPath("/", dir+"/dead")
	s := hangAt(t, h, dir+"/dead")
	h.Lookup("tool")
	s.release(dir + "/dead")
	for len(h.Hanging()) > 0 {
		runtime.Gosched()
	}
	host.AgeFolders(h)
	if got := h.Lookup("tool"); len(got) != 1 || got[0].Fault != "" {
		t.Errorf("got %+v, want the tool", got)
	}
}

// TestALinkIntoWhatHangs: a link into a place that hangs does not affect its own folder.
func TestALinkIntoWhatHangs(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/dead/tool", "#!/bin/sh\n", 0o755)
	put(t, dir+"/bin/other", "#!/bin/sh\n", 0o755)
	link(t, dir+"/dead/tool", dir+"/bin/tool")
	link(t, dir+"/dead", dir+"/there")
	h := withPath("/", dir+"/bin", dir+"/there")
	hangAt(t, h, dir+"/dead")
	if got := h.Lookup("tool"); len(got) != 2 || !errors.Is(got[0].Unseen(), host.ErrHangs) || !errors.Is(got[1].Unseen(), host.ErrHangs) {
		t.Errorf("got %+v, want two that hang", got)
	}
	if got := h.Lookup("other"); len(got) != 2 || got[0].Fault != "" {
		t.Errorf("got %+v, want what lies beside the link", got)
	}
	if got := places(h); !slices.Equal(got, []string{dir + "/dead"}) {
		t.Errorf("%q hang, want the dead folder alone", got)
	}
}

// TestLocateGoesOnBesideWhatHangs: Locate names the pattern of a place that hangs.
func TestLocateGoesOnBesideWhatHangs(t *testing.T) {
	dir := realDir(t)
	for _, name := range []string{"a", "dead", "z"} {
		put(t, filepath.Join(dir, name, "bin/tool"), "", 0o755)
	}
	h := withPath("/")
	hangAt(t, h, dir+"/dead/bin", dir+"/gone")
	got := h.Locate(host.LocateLimit, dir+"/*/bin/tool", dir+"/z/*/tool", dir+"/gone/*")
	if want := []string{dir + "/a/bin/tool", dir + "/z/bin/tool"}; !slices.Equal(got.Paths[0], want) || len(got.Paths[1]) != 1 {
		t.Errorf("got %q, want %q and one", got.Paths, want)
	}
	if len(got.Unseen) != 2 || got.Unseen[0].Pattern != dir+"/*/bin/tool" || got.Unseen[1].Pattern != dir+"/gone/*" {
		t.Fatalf("left out are %v", got.Unseen)
	}
	for _, u := range got.Unseen {
		if !errors.Is(u.Err, host.ErrHangs) {
			t.Errorf("%s: %v, want that it hangs", u.Pattern, u.Err)
		}
	}
}

// TestLocateIsBounded: the limit is for all patterns together.
func TestLocateIsBounded(t *testing.T) {
	dir := realDir(t)
	for i := range 40 {
		put(t, filepath.Join(dir, "d", string(rune('A'+i)), "tool"), "", 0o755)
	}
	h := withPath("/")
	got := h.Locate(100, dir+"/d/*/tool", dir+"/d/*/tool", dir+"/d/*/*")
	if len(got.Paths[0]) != 40 {
		t.Errorf("the first found %d of 40", len(got.Paths[0]))
	}
	if len(got.Unseen) != 2 || !errors.Is(got.Unseen[0].Err, host.ErrLimit) || len(got.Paths[1])+len(got.Paths[2]) > 20 {
		t.Errorf("left out are %v, found %d and %d; want what is over 100 looks left out", got.Unseen, len(got.Paths[1]), len(got.Paths[2]))
	}
}

// TestAMountCountsAsHangingAfterSomePlaces: the threads that wait in a dead file system are
// bounded.
func TestAMountCountsAsHangingAfterSomePlaces(t *testing.T) {
	dir := realDir(t)
	var dead []string
	for i := range 10 {
		name := filepath.Join(dir, string(rune('a'+i)))
		put(t, name+"/tool", "", 0o755)
		dead = append(dead, name)
	}
	h := withPath("/")
	s := hangAt(t, h, dead...)
	waited := 0
	for _, name := range dead {
		h.Glob(name + "/*")
		waited += s.waiting(name)
	}
	if waited > 4 {
		t.Errorf("%d looks wait in one file system, want 4 at most", waited)
	}
	if got := h.Hanging(); len(got) != 4 || !strings.HasPrefix(dir, got[0].Place) {
		t.Errorf("%v hang, want three folders and their file system", got)
	}
}

// TestRunOfWhatHangs: execve opens neither a file that hangs nor one with such an
// interpreter. It would block every fork and the garbage collector.
func TestRunOfWhatHangs(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/dead/tool", "#!/bin/sh\n", 0o755)
	put(t, dir+"/script", "#!"+dir+"/dead/tool -x\n", 0o755)
	put(t, dir+"/nested", "#!"+dir+"/script\n", 0o755)
	for _, path := range []string{dir + "/dead/tool", dir + "/script", dir + "/nested"} {
		h := withPath("/")
		hangAt(t, h, dir+"/dead/tool")
		res := h.Run(t.Context(), host.Invocation{Path: path, Timeout: time.Minute})
		if !errors.Is(res.Err, host.ErrHangs) {
			t.Errorf("%s: got %s, want that it hangs", path, brief(res))
		}
	}
}

func TestFilesThatHang(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/dead/file", "x", 0o644)
	h := withPath("/")
	hangAt(t, h, dir+"/dead")
	if _, err := h.Stat(dir + "/dead/file"); !errors.Is(err, host.ErrHangs) {
		t.Errorf("Stat: %v", err)
	}
	if by, bad := h.Writable(dir + "/dead/file"); !bad || !strings.Contains(by, "does not answer") {
		t.Errorf("Writable: %q %v", by, bad)
	}
	if _, err := h.Stat(dir + "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of nothing: %v", err)
	}
}

func TestWithin(t *testing.T) {
	if v, err := host.Within(time.Minute, "/f", func() (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Errorf("got %v and %v", v, err)
	}
	release := make(chan struct{})
	defer close(release)
	_, err := host.Within(time.Millisecond, "/f", func() (int, error) { <-release; return 7, nil })
	if !errors.Is(err, host.ErrHangs) || !strings.HasPrefix(err.Error(), "/f does not answer") {
		t.Errorf("got %v", err)
	}
}

// TestRound looks at places repeatedly and concurrently in one round.
func TestRound(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/bin/tool", "#!/bin/sh\n", 0o755)
	link(t, dir+"/bin", dir+"/linked")
	h := withPath("/", dir+"/dead", dir+"/bin")
	round := h.Round(nil)
	pattern := dir + "/linked/*"
	for range 2 {
		if got := round.Glob(pattern); !slices.Equal(got, []string{dir + "/linked/tool"}) {
			t.Errorf("in a round: got %q", got)
		}
		put(t, dir+"/bin/tool2", "#!/bin/sh\n", 0o755)
	}
	if got := h.Round(nil).Glob(pattern); len(got) != 2 {
		t.Errorf("in the round after it: got %q", got)
	}
	if by, bad := round.Writable(dir + "/bin/tool"); bad {
		t.Fatal(by)
	}
	put(t, dir+"/bin/tool", "#!/bin/sh\n", 0o777)
	if _, bad := h.Round(nil).Writable(dir + "/bin/tool"); !bad {
		t.Error("the round after it does not see that everybody may write the file")
	}

	hangAt(t, h, dir+"/dead")
	if err := os.Mkdir(dir+"/dead", 0o755); err != nil {
		t.Fatal(err)
	}
	calls := make(chan bool, 10)
	found := host.Glance(h, func(h *host.LocalHost) (found []host.Candidate) {
		calls <- true
		found = append(h.Lookup("tool"), h.Resolve(dir+"/dead/tool"))
		for _, path := range h.Glob(dir + "/*/tool") {
			found = append(found, host.Candidate{Path: path})
		}
		return found
	})
	var paths []string
	for _, c := range found {
		if (c.Unseen() != nil) != strings.HasPrefix(c.Path, dir+"/dead/") {
			t.Errorf("got %+v", c)
		}
		paths = append(paths, strings.TrimPrefix(c.Path, dir))
	}
	if want := []string{"/dead/tool", "/bin/tool", "/dead/tool", "/bin/tool", "/linked/tool"}; !slices.Equal(paths, want) {
		t.Errorf("looks at once: got %q, want %q", paths, want)
	}
	if len(h.Hanging()) != 1 || len(calls) == 0 {
		t.Errorf("%v hang, after %d calls", h.Hanging(), len(calls))
	}
}

// TestLooksEndWithTheRound: a round that has ended waits for nothing more, and spoils no later
// one.
func TestLooksEndWithTheRound(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/bin/tool", "#!/bin/sh\n", 0o755)
	h := withPath("/", dir+"/bin")
	var slow []string
	for i := range 40 { // more than there are places for looks
		slow = append(slow, fmt.Sprint(dir, "/slow", i))
	}
	s := hangAt(t, h, slow...)
	host.SetPatience(h, time.Hour) // slow places do not hang
	over := make(chan struct{})
	round := h.Round(over)
	ended := make(chan host.Candidate, len(slow))
	for _, place := range slow {
		put(t, place+"/tool", "#!/bin/sh\n", 0o755)
		go func() { ended <- round.Resolve(place + "/tool") }()
	}
	host.WaitForLooks(h)
	close(over)
	for range len(slow) - 16 { // those that are inside wait
		if c := <-ended; c.Unseen() == nil {
			t.Errorf("after the end of the round: %+v, want that it was not looked at", c)
		}
	}
	if found := round.Lookup("tool"); len(found) != 1 || found[0].Unseen() == nil {
		t.Errorf("a look-up after the end: %+v, want that it was not looked at", found)
	}
	if out := round.Locate(10, dir+"/*/tool"); len(out.Unseen) != 1 || len(out.Paths[0]) > 0 {
		t.Errorf("locations after the end: %+v, want that they were not looked at", out)
	}
	for _, place := range slow {
		s.release(place)
	}
	for range 16 {
		<-ended
	}
	if found := h.Lookup("tool"); len(found) != 1 || found[0].Fault != "" {
		t.Errorf("the next round finds %+v, want the tool", found)
	}
}
