package gen

import (
	"fmt"
	"strings"
)

// diffContext is how many equal lines stand around a difference, and diffLimit
// bounds the table that finds the fewest changes.
const (
	diffContext = 3
	diffLimit   = 4 << 20
)

// edit is one line of a difference: ' ' is in both, '-' only in the old text,
// '+' only in the new one.
type edit struct {
	op   byte
	line string
}

// diff is the unified difference between two texts of a file.
func diff(name string, before, after []byte, missing bool) string {
	from := "a/" + name
	if missing {
		from = "/dev/null"
	}
	edits := compare(lines(before), lines(after))
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ b/%s\n", from, name)
	oldLine, newLine := 1, 1
	for i := 0; i < len(edits); {
		if edits[i].op == ' ' {
			i, oldLine, newLine = i+1, oldLine+1, newLine+1
			continue
		}
		begin := max(0, i-diffContext)
		end := hunkEnd(edits, i)
		writeHunk(&out, edits[begin:end], oldLine-(i-begin), newLine-(i-begin))
		for ; i < end; i++ {
			if edits[i].op != '+' {
				oldLine++
			}
			if edits[i].op != '-' {
				newLine++
			}
		}
	}
	return out.String()
}

// hunkEnd is where the hunk that begins with the change at i ends: behind its
// context, or where that meets the next one's.
func hunkEnd(edits []edit, i int) int {
	same := 0
	for ; i < len(edits) && same <= 2*diffContext; i++ {
		if edits[i].op == ' ' {
			same++
		} else {
			same = 0
		}
	}
	return i - max(0, same-diffContext)
}

func writeHunk(out *strings.Builder, edits []edit, oldLine, newLine int) {
	var olds, news int
	for _, e := range edits {
		if e.op != '+' {
			olds++
		}
		if e.op != '-' {
			news++
		}
	}
	if olds == 0 {
		oldLine--
	}
	if news == 0 {
		newLine--
	}
	fmt.Fprintf(out, "@@ -%d,%d +%d,%d @@\n", oldLine, olds, newLine, news)
	for _, e := range edits {
		fmt.Fprintf(out, "%c%s", e.op, e.line)
		if !strings.HasSuffix(e.line, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

func lines(text []byte) []string {
	list := strings.SplitAfter(string(text), "\n")
	if list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}

// compare finds the lines that a and b have in common, as many as there are.
func compare(a, b []string) []edit {
	var head, tail []edit
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		head = append(head, edit{' ', a[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append(tail, edit{' ', a[len(a)-1]})
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	edits := append(head, middle(a, b)...)
	for i := len(tail) - 1; i >= 0; i-- {
		edits = append(edits, tail[i])
	}
	return edits
}

// middle compares what is left when the equal ends are gone.
func middle(a, b []string) []edit {
	var edits []edit
	if (len(a)+1)*(len(b)+1) > diffLimit {
		for _, line := range a {
			edits = append(edits, edit{'-', line})
		}
		for _, line := range b {
			edits = append(edits, edit{'+', line})
		}
		return edits
	}
	// common[i][j] is how many lines a[i:] and b[j:] have in common.
	common := make([][]int32, len(a)+1)
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			edits = append(edits, edit{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			edits = append(edits, edit{'-', a[i]})
			i++
		default:
			edits = append(edits, edit{'+', b[j]})
			j++
		}
	}
	return edits
}
