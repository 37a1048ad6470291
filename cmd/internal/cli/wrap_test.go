package cli_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"not found any more; it was at /opt/python3", 20, []string{"not found any more;", "it was at", "/opt/python3"}},
		{"run `attune workers refresh x` then", 12, []string{"run", "`attune workers refresh x`", "then"}},
		{"größer größer", 6, []string{"größer", "größer"}},
		{"one two", 7, []string{"one two"}},
	} {
		if diff := cmp.Diff(c.want, cli.Wrap(c.text, c.width)); diff != "" {
			t.Errorf("%q on %d columns (-want +got):\n%s", c.text, c.width, diff)
		}
	}
}

// narrow is a table as changes are printed.
func narrow(width int) string {
	table := cli.NewTable("ID", "WHEN", "NAME", "CHANGE", "DETAIL")
	table.Wrap, table.Drop, table.Right = true, []int{0}, map[int]bool{0: true}
	table.Row(cli.Cell{Text: "1234"}, cli.Cell{Text: "2026-02-03T10:00:00Z"}, cli.Cell{Text: "build-7"},
		cli.Cell{Text: "lost"}, cli.Cell{Text: "not found any more; it was at /opt/python3"})
	table.Row(cli.Cell{Text: "7"}, cli.Cell{Text: "2026-02-03T10:00:00Z"}, cli.Cell{Text: "build-7"},
		cli.Cell{Text: "gained"}, cli.Cell{Text: "-"})
	var out bytes.Buffer
	table.Print(&cli.Terminal{Writer: &out, Person: width > 0, Width: width})
	return out.String()
}

// TestTableFitsANarrowTerminal: prose goes on in the next line, then columns do;
// nothing is cut out.
func TestTableFitsANarrowTerminal(t *testing.T) {
	for width, want := range map[int]string{
		0: "  ID  WHEN                  NAME     CHANGE  DETAIL\n" +
			"1234  2026-02-03T10:00:00Z  build-7  lost    not found any more; it was at /opt/python3\n" +
			"   7  2026-02-03T10:00:00Z  build-7  gained  -\n",
		80: "  ID  WHEN                  NAME     CHANGE  DETAIL\n" +
			"1234  2026-02-03T10:00:00Z  build-7  lost    not found any more; it was at\n" +
			"                                             /opt/python3\n" +
			"   7  2026-02-03T10:00:00Z  build-7  gained  -\n",
		60: "WHEN                  NAME     CHANGE\n" +
			"    DETAIL\n" +
			"2026-02-03T10:00:00Z  build-7  lost\n" +
			"    not found any more; it was at /opt/python3\n" +
			"2026-02-03T10:00:00Z  build-7  gained\n" +
			"    -\n",
		30: "WHEN                  NAME\n" +
			"    CHANGE\n" +
			"    DETAIL\n" +
			"2026-02-03T10:00:00Z  build-7\n" +
			"    lost\n" +
			"    not found any more; it was\n" +
			"    at /opt/python3\n" +
			"2026-02-03T10:00:00Z  build-7\n" +
			"    gained\n" +
			"    -\n",
	} {
		if diff := cmp.Diff(want, narrow(width)); diff != "" {
			t.Errorf("on %d columns (-want +got):\n%s", width, diff)
		}
	}
	for width := 30; width <= 120; width++ {
		for line := range strings.Lines(narrow(width)) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("on %d columns a line has %d: %q", width, n, line)
			}
		}
	}
}

// TestColumnsShareANarrowTerminal checks that two columns of prose break side by side.
func TestColumnsShareANarrowTerminal(t *testing.T) {
	for width, want := range map[int]string{
		0: "RUNTIME  a" + strings.Repeat(" ", 45) + "b\n" +
			"python   3.12.1 /usr/bin/python3, 3.11.7 /opt/python3  3.12.1 /usr/local/bin/python3, 3.10.2 /opt/python3\n",
		70: "RUNTIME  a                              b\n" +
			"python   3.12.1 /usr/bin/python3,       3.12.1 /usr/local/bin/python3,\n" +
			"         3.11.7 /opt/python3            3.10.2 /opt/python3\n",
		40: "RUNTIME  a\n" +
			"    b\n" +
			"python   3.12.1 /usr/bin/python3, 3.11.7\n" +
			"         /opt/python3\n" +
			"    3.12.1 /usr/local/bin/python3,\n" +
			"    3.10.2 /opt/python3\n",
	} {
		table := cli.NewTable("RUNTIME", "a", "b")
		table.Wrap, table.WrapFrom = true, 1
		table.Row(cli.Cell{Text: "python"}, cli.Cell{Text: "3.12.1 /usr/bin/python3, 3.11.7 /opt/python3"},
			cli.Cell{Text: "3.12.1 /usr/local/bin/python3, 3.10.2 /opt/python3"})
		var out bytes.Buffer
		table.Print(&cli.Terminal{Writer: &out, Person: width > 0, Width: width})
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("on %d columns (-want +got):\n%s", width, diff)
		}
	}
}

func TestProseAfterALabel(t *testing.T) {
	var out bytes.Buffer
	(&cli.Terminal{Writer: &out, Person: true, Width: 40}).PrintProse(cli.Plain, "  helps", 13, "install it where the PATH of the service shows it")
	want := "  helps      install it where the PATH\n" +
		"             of the service shows it\n"
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

// TestPrintedLinesBreakAtWords checks that a terminal gets no line that is wider, whichever
// way it was printed; a pipe gets lines as they are.
func TestPrintedLinesBreakAtWords(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"nothing was written; `attune migrate up` does it, and more follows", "nothing was written; `attune migrate up`\ndoes it, and more follows"},
		{"  put       the guards of metadata in place (5)", "  put       the guards of metadata in\n            place (5)"},
		{"  database: of the platform, which owns the tables", "  database: of the platform, which owns\n  the tables"},
		{"short", "short"},
		{"status       " + "\x1b[31mall words of this are painted\x1b[0m", "status       \x1b[31mall words of this are\n             painted\x1b[0m"},
		{"runtimes/of/a/pack/that/are/a/single/wide/word.yaml", "runtimes/of/a/pack/that/are/a/single/wide/word.yaml"},
		{"\r\x1b[Ka line of progress that is drawn over itself", "\r\x1b[Ka line of progress that is drawn over itself"},
	} {
		var narrow, pipe bytes.Buffer
		(&cli.Terminal{Writer: &narrow, Person: true, Width: 40}).Printf("%s\n", c.line)
		(&cli.Terminal{Writer: &pipe}).Printf("%s\n", c.line)
		if narrow.String() != c.want+"\n" || pipe.String() != c.line+"\n" {
			t.Errorf("got\n%q, want\n%q; in a pipe %q", narrow.String(), c.want, pipe.String())
		}
	}
}

// TestListsUseALineOfTheirOwn: a list that goes on in a further line has all of it.
func TestListsUseALineOfTheirOwn(t *testing.T) {
	table := cli.NewTable("ID", "NAME", "STATUS", "HEARTBEAT", "RUNTIMES")
	table.Shrink = 4
	table.Row(cli.Cell{Text: "1"}, cli.Cell{Text: "build-host-12"}, cli.Cell{Text: "active, stale"}, cli.Cell{Text: "2m16s ago"},
		cli.List([]string{"go 1.26.8", "java 17.0.15", "node 20.20.2"}, ", "))
	var out bytes.Buffer
	table.Print(&cli.Terminal{Writer: &out, Person: true, Width: 46})
	want := "ID  NAME           STATUS         HEARTBEAT\n" +
		"    RUNTIMES\n" +
		"1   build-host-12  active, stale  2m16s ago\n" +
		"    go 1.26.8, java 17.0.15, node 20.20.2\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
