package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// A Terminal is a stream that knows whether a person reads it.
type Terminal struct {
	io.Writer
	// Person reports whether the stream is a terminal.
	Person bool
	// Color reports whether text may be colored.
	Color bool
	// Width is the number of columns. It is 0 if the stream is not a terminal.
	Width int
	// Lost is the first error of a write.
	Lost error
}

// Write writes bytes and remembers the first error.
func (t *Terminal) Write(p []byte) (int, error) {
	n, err := t.Writer.Write(p)
	if err != nil && t.Lost == nil {
		t.Lost = err
	}
	return n, err
}

// NewTerminal returns a Terminal that writes to w. A pipe or file gets plain text.
func NewTerminal(w io.Writer, noColor bool) *Terminal {
	t := &Terminal{Writer: w}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return t
	}
	t.Person = true
	t.Color = !noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		t.Width = width
	}
	return t
}

// A Style is an SGR code.
type Style string

// The styles in use.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
)

// Paint styles text if the terminal shows colors.
func (t *Terminal) Paint(s Style, text string) string {
	if !t.Color || s == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Printf prints formatted text. A terminal gets lines that are broken at words.
func (t *Terminal) Printf(format string, args ...any) {
	text := typeable(fmt.Sprintf(format, args...))
	if t.Width > 0 && !strings.Contains(text, "\r") {
		lines := strings.Split(text, "\n")
		for i := range lines {
			lines[i] = t.broken(lines[i])
		}
		text = strings.Join(lines, "\n")
	}
	t.print(text)
}

// print prints text as it is.
func (t *Terminal) print(text string) { _, _ = io.WriteString(t, text) } // Lost remembers

// Clean makes foreign text safe for a terminal: control characters, format
// characters that turn or hide text, and bytes that are not UTF-8 are written
// out as escapes.
func Clean(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, unsafe) < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !unsafe(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	return b.String()
}

// CleanLines works like Clean, and keeps line ends.
func CleanLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i, line := range lines {
		lines[i] = Clean(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}
