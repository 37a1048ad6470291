package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Python 3.11.7":             "Python 3.11.7",
		"größer ✓":                  "größer ✓",
		"\x1b[31mred\x1b]0;title\a": `\x1b[31mred\x1b]0;title\x07`,
		"a\tb\r\n":                  `a\tb\r\n`,
		"\xff\xfe":                  `\xff\xfe`,
		"\u202egnp.exe":             `\u202egnp.exe`,
		"\u009b31m":                 `\u009b31m`,
		"\ufffd":                    "\ufffd",
		"a\u3164b\ufe01c\U000e0041": `a\u3164b\ufe01c\ue0041`,
	} {
		if got := cli.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestJSONIsEscaped: what turns or hides text is an escape, and what reads the
// document gets the text as it was.
func TestJSONIsEscaped(t *testing.T) {
	hostile := "\u202egnp.exe\u2066\u200b\U000e0041\u061c\u3164\u009b31m\x7f\ufeff größer <&> 日本 ✓"
	var out bytes.Buffer
	doc := map[string]any{"text": hostile, "raw": json.RawMessage("\"\u202e\xff\"")}
	if err := cli.PrintJSON(&out, doc); err != nil {
		t.Fatal(err)
	}
	want := `{
  "raw": "\u202e\ufffd",
  "text": "\u202egnp.exe\u2066\u200b\udb40\udc41\u061c\u3164\u009b31m\u007f\ufeff größer <&> 日本 ✓"
}
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	var got map[string]string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["text"] != hostile {
		t.Errorf("%v: got %q, want %q", err, got["text"], hostile)
	}
}

// TestJSONOfMegabytes: a document that is written in parts has no character cut, whatever its width and place.
func TestJSONOfMegabytes(t *testing.T) {
	for shift := range 4 {
		text := strings.Repeat("x", shift) + strings.Repeat("日本✓é\u202e\U000e0041", 20_000)
		var out bytes.Buffer
		list := cli.NewJSONList(&out)
		if err := errors.Join(list.Add(text), list.Add(text), list.Close()); err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || !slices.Equal(got, []string{text, text}) {
			t.Errorf("shift %d: the texts differ (%v)", shift, err)
		}
	}
}

func TestTable(t *testing.T) {
	printed := func(out *cli.Terminal) {
		table := cli.NewTable("NAME", "PATH", "TIME")
		table.Right = map[int]bool{2: true}
		table.Shrink = 1
		table.Row(cli.Cell{Text: "go"}, cli.Cell{Text: "/usr/local/go/bin/go", Style: cli.Green}, cli.Cell{Text: "9.1 ms"})
		table.Row(cli.Cell{Text: "python\x1b"}, cli.Cell{Text: "-"}, cli.Cell{Text: "12.0 ms"})
		table.Print(out)
	}

	var pipe bytes.Buffer
	printed(cli.NewTerminal(&pipe, false))
	want := "NAME        PATH                     TIME\n" +
		"go          /usr/local/go/bin/go   9.1 ms\n" +
		`python\x1b  -                     12.0 ms` + "\n"
	if pipe.String() != want {
		t.Errorf("in a pipe: got\n%s\nwant\n%s", pipe.String(), want)
	}

	var narrow bytes.Buffer
	printed(&cli.Terminal{Writer: &narrow, Person: true, Width: 35})
	want = "NAME        PATH               TIME\n" +
		"go          /usr…go/bin/go   9.1 ms\n" +
		`python\x1b  -               12.0 ms` + "\n"
	if narrow.String() != want {
		t.Errorf("on 35 columns: got\n%s\nwant\n%s", narrow.String(), want)
	}
}

func TestListsAreCutBetweenEntries(t *testing.T) {
	list := []string{"go 1.26.8", "java 17.0.15", "node 20.20.2", "python 3.11.2"}
	for width, want := range map[int]string{
		0:  "go 1.26.8, java 17.0.15, node 20.20.2, python 3.11.2",
		57: "go 1.26.8, java 17.0.15, node 20.20.2, python 3.11.2",
		56: "go 1.26.8, java 17.0.15, node 20.20.2, +1",
		45: "go 1.26.8, java 17.0.15, +2",
		32: "go 1.26.8, java 17.0.15, +2",
		31: "go 1.26.8, +3",
		17: "go….26.8, +3",
	} {
		table := cli.NewTable("ID", "HAS")
		table.Shrink = 1
		table.Row(cli.Cell{Text: "123"}, cli.List(list, ", "))
		var out bytes.Buffer
		table.Print(&cli.Terminal{Writer: &out, Person: true, Width: width})
		if want = "ID   HAS\n123  " + want + "\n"; out.String() != want {
			t.Errorf("on %d columns: got\n%s\nwant\n%s", width, out.String(), want)
		}
	}
	table := cli.NewTable("HAS")
	table.Shrink = 0
	table.Row(cli.List([]string{"python 3.11.2 and more\x1b", "go"}, ", "))
	var out bytes.Buffer
	table.Print(&cli.Terminal{Writer: &out, Person: true, Width: 16})
	if want := "HAS\npyt…more\\x1b, +1\n"; out.String() != want {
		t.Errorf("foreign text: got %q", out.String())
	}
}

func TestAsideCellsHaveNoLineOfTheirOwn(t *testing.T) {
	for width, want := range map[int]string{
		30: "KEY          VALUE\n    FROM\nworker.name  a\nworker.port  a por…hat is long\n    ATTUNE_WORKER_PORT\n",
		0: "KEY          VALUE                FROM\nworker.name  a                    default\n" +
			"worker.port  a port that is long  ATTUNE_WORKER_PORT\n",
	} {
		table := cli.NewTable("KEY", "VALUE", "FROM")
		table.Shrink = 1
		table.Row(cli.Cell{Text: "worker.name"}, cli.Cell{Text: "a"}, cli.Cell{Text: "default", Aside: true})
		table.Row(cli.Cell{Text: "worker.port"}, cli.Cell{Text: "a port that is long"}, cli.Cell{Text: "ATTUNE_WORKER_PORT"})
		var out bytes.Buffer
		table.Print(&cli.Terminal{Writer: &out, Person: true, Width: width})
		if out.String() != want {
			t.Errorf("on %d columns: got\n%s\nwant\n%s", width, out.String(), want)
		}
	}
}
