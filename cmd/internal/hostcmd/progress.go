package hostcmd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/detect"
)

// progressDelay is how long probes may take before a person is told that they
// are at work.
const progressDelay = 400 * time.Millisecond

// progress keeps one line on a terminal about the probes that take long.
type progress struct {
	out *cli.Terminal

	mu      sync.Mutex
	running map[string]bool
	last    detect.Progress
	timer   *time.Timer
	shown   bool
	done    bool
}

// newProgress shows nothing where nobody looks.
func newProgress(out *cli.Terminal) *progress {
	p := &progress{out: out, running: map[string]bool{}}
	if out.Person {
		p.timer = time.AfterFunc(progressDelay, p.tick)
	}
	return p
}

func (p *progress) update(at detect.Progress) {
	if p.timer == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = at
	if at.Outcome == "" {
		p.running[at.Name] = true
	} else {
		delete(p.running, at.Name)
	}
	if p.shown {
		p.draw()
	}
}

func (p *progress) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.done {
		p.shown = true
		p.draw()
	}
}

func (p *progress) draw() {
	names := strings.Join(slices.Sorted(maps.Keys(p.running)), ", ")
	if names == "" {
		return
	}
	line := []rune(cli.Clean(fmt.Sprintf("verified %d of %d; waiting for %s", p.last.Finished, p.last.Total, names)))
	if width := p.out.Width; width > 0 && len(line) >= width {
		line = append(line[:width-2], '…')
	}
	p.out.Printf("\r\x1b[K%s", p.out.Paint(cli.Dim, string(line)))
}

// clear takes the line away.
func (p *progress) clear() {
	if p.timer == nil {
		return
	}
	p.timer.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.out.Printf("\r\x1b[K")
	}
	p.done, p.shown = true, false
}
