//go:build unix

package host

import (
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// scratches holds read buffers. Kept output is copied out of them.
var scratches = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// drainLimit is more than a pipe's usual size. A process that left the group could fill the
// pipe as fast as it is read.
const drainLimit = 1 << 20

// A stream is the reading end of a command's standard output or error.
type stream struct {
	fd        int // -1 when closed
	kept      []byte
	truncated bool
}

// read reads the available output once.
func (s *stream) read(scratch []byte) (n int) {
	for {
		n, err := unix.Read(s.fd, scratch)
		switch {
		case n > 0:
			s.keep(scratch[:n])
			return n
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0
		default:
			s.close()
			return 0
		}
	}
}

func (s *stream) keep(b []byte) {
	if room := OutputLimit - len(s.kept); len(b) > room {
		s.truncated = true
		b = b[:room]
	}
	s.kept = append(s.kept, b...)
}

// drain reads the rest of the pipe at the end of the command.
func (s *stream) drain(scratch []byte) {
	for total := 0; s.fd >= 0 && total < drainLimit; {
		n := s.read(scratch)
		if n == 0 {
			return
		}
		total += n
	}
}

// text returns the kept output without an incomplete character that the limit cut off.
func (s *stream) text() []byte {
	if !s.truncated {
		return s.kept
	}
	end := len(s.kept)
	for i := 1; i < utf8.UTFMax && i <= end; i++ {
		if tail := s.kept[end-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return s.kept[:end-i]
			}
			break
		}
	}
	return s.kept
}

func (s *stream) close() {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
		s.fd = -1
	}
}
