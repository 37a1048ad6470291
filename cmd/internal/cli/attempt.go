package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// PrintAttempt prints one attempt with its evidence, as the n-th.
func PrintAttempt(out *Terminal, n int, a *capability.Attempt) {
	style := Yellow
	if a.Outcome == capability.Available {
		style = Green
	}
	command := ""
	if len(a.Command) > 0 {
		command = host.CommandLine(a.Command[0], a.Command[1:])
	}
	out.Printf("%d. %s: %s\n", n, out.Paint(Bold, Clean(command)), out.Paint(style, Clean(string(a.Outcome))))
	field := NewFields(out, "   ")
	field("path", a.Path)
	if a.RealPath != a.Path {
		field("real path", a.RealPath)
	}
	if a.ExitCode != nil {
		field("exit code", strconv.Itoa(*a.ExitCode))
	}
	field("signal", a.Signal)
	switch {
	case a.Remembered:
		field("remembered", fmt.Sprintf("it took %.1f ms when it was last started, and nothing changed since", a.DurationMS))
	case a.DurationMS > 0:
		field("started", fmt.Sprintf("it took %.1f ms", a.DurationMS))
	}
	if a.Output != "" {
		for i, line := range strings.Split(CleanLines(a.Output), "\n") {
			label := ""
			if i == 0 {
				label = "output"
			}
			out.Printf("   %-10s %s\n", label, line)
		}
	}
	if a.Pattern != "" {
		matched := "not reached"
		if a.PatternMatched != nil {
			matched = map[bool]string{true: "matched", false: "did not match"}[*a.PatternMatched]
		}
		field("pattern", a.Pattern+"  "+matched)
	}
	field("read", a.VersionFile)
	if len(a.Versions) > 1 {
		field("versions", strings.Join(a.Versions, ", "))
	} else if a.Version != "" {
		field("version", a.Version+"  from "+strconv.Quote(a.VersionRaw))
	}
	field("why", a.Detail)
	field("helps", a.Hint)
}

// NewFields returns a function that prints a labelled line, unless its text is empty.
func NewFields(out *Terminal, indent string) func(label, text string) {
	return NewWideFields(out, indent, 10)
}

// NewWideFields works like NewFields, with labels that are width columns wide.
func NewWideFields(out *Terminal, indent string, width int) func(label, text string) {
	return func(label, text string) {
		if text != "" {
			out.PrintProse(Plain, indent+label, len(indent)+width+1, Clean(text))
		}
	}
}
