package detect

import (
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/host"
)

// A Memory holds the answers of commands, so that a detection need not start them again
// while everything that their files show is as it was. It is for this machine alone, and for
// any number of detectors and goroutines. Answers that could not be determined, and those of
// commands that failed, are not remembered.
type Memory struct {
	cfg  MemoryConfig
	once sync.Once

	mu sync.Mutex
	// answers holds those that are believed. fresh holds those that file does not have yet,
	// and nil for those that it must not have.
	answers, fresh map[string]*memoryEntry
}

// A MemoryConfig configures a Memory.
type MemoryConfig struct {
	// Path is the file that keeps the answers. It is used only if it belongs to this user,
	// nobody else can read it, and nobody else can change it or a folder above. Empty keeps the
	// answers in this process.
	Path string
	// MaxAge bounds the age of answers. Defaults to DefaultMaxAge.
	MaxAge time.Duration
	// Fresh starts everything, as Forget does.
	Fresh bool
}

// DefaultMaxAge is the time for which answers are remembered.
const DefaultMaxAge = 24 * time.Hour

// A memoryEntry is the answer of one command.
type memoryEntry struct {
	// Path is the executable, for people who read the file.
	Path string `json:"path"`
	// At is the time after the command ended, and SinceBoot the same by a clock that cannot
	// be set.
	At        time.Time     `json:"at"`
	SinceBoot time.Duration `json:"since_boot_ns"`
	Duration  time.Duration `json:"duration_ns"`
	ExitCode  int           `json:"exit_code"`
	// Output is standard output, a newline and standard error.
	Output string `json:"output"`
}

// outputMax bounds a remembered output, in bytes. answersMost and answersSize bound what is
// remembered from round to round: definitions that always change leave answers that nobody
// recalls.
const (
	outputMax   = 8 << 10
	answersMost = 16_000
	answersSize = 8 << 20
)

// NewMemory returns a Memory. It reads its file at the first use.
func NewMemory(cfg MemoryConfig) *Memory {
	if cfg.MaxAge == 0 {
		cfg.MaxAge = DefaultMaxAge
	}
	return &Memory{cfg: cfg, answers: map[string]*memoryEntry{}, fresh: map[string]*memoryEntry{}}
}

// Forget makes the following detections start everything again.
func (m *Memory) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.once.Do(func() {})
	clear(m.answers)
}

// Forget makes the next detection start every command.
func (d *Detector) Forget() {
	if d.cfg.Memory != nil {
		d.cfg.Memory.Forget()
	}
}

// recall returns the answer for a key if it is young enough, or nil.
func (m *Memory) recall(key string, now time.Time) *memoryEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.once.Do(func() {
		if !m.cfg.Fresh {
			m.answers = readMemory(m.cfg.Path)
		}
	})
	if a := m.answers[key]; a != nil && a.within(m.cfg.MaxAge, now) {
		return a
	}
	return nil
}

// within reports whether an answer has at most this age by both clocks. An answer from the
// future does not: a clock was set back.
func (a *memoryEntry) within(age time.Duration, now time.Time) bool {
	for _, passed := range []time.Duration{now.Sub(a.At), host.SinceBoot() - a.SinceBoot} {
		if passed < 0 || passed > age {
			return false
		}
	}
	return true
}

// keep remembers an answer. A nil answer forgets what was remembered.
func (m *Memory) keep(key string, a *memoryEntry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a == nil {
		delete(m.answers, key)
	} else {
		m.answers[key] = a
	}
	m.fresh[key] = a
}

// shrink forgets all answers but those of this round, if they are too many. The caller holds
// mu.
func (m *Memory) shrink(fresh map[string]*memoryEntry) {
	size := 0
	for _, a := range m.answers {
		size += len(a.Output)
	}
	if len(m.answers) <= answersMost && size <= answersSize {
		return
	}
	maps.DeleteFunc(m.answers, func(key string, _ *memoryEntry) bool { return fresh[key] == nil })
}

// save writes to the file what was learned since the last time. Its errors are no reason to
// doubt a detection.
func (m *Memory) save(now time.Time) error {
	m.mu.Lock()
	fresh := m.fresh
	m.fresh = map[string]*memoryEntry{}
	m.shrink(fresh)
	m.mu.Unlock()
	if m.cfg.Path == "" || len(fresh) == 0 {
		return nil
	}
	err := writeMemory(m.cfg.Path, fresh, max(m.cfg.MaxAge, DefaultMaxAge), now)
	if errors.Is(err, host.ErrHangs) {
		m.cfg.Path = "" // the goroutine that waits there is enough
	}
	return err
}
