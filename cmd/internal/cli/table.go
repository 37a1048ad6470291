package cli

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Cell is one field of a table.
type Cell struct {
	Text  string
	Style Style
	// Aside leaves the cell out where its column moves to a further line.
	Aside bool

	// entries and between are the parts of the text of a List.
	entries []string
	between string
}

// List returns a cell of several entries. A narrow terminal shows whole entries and
// the number of entries left out.
func List(entries []string, between string) Cell {
	return Cell{Text: strings.Join(entries, between), entries: entries, between: between}
}

// Styled returns the cell in a style.
func (c Cell) Styled(s Style) Cell {
	c.Style = s
	return c
}

// within returns the text shortened to a width.
func (c Cell) within(width int) string {
	if utf8.RuneCountInString(c.Text) <= width || len(c.entries) < 2 {
		return shorten(c.Text, width)
	}
	for n := len(c.entries) - 1; n > 0; n-- {
		text := Clean(strings.Join(c.entries[:n], c.between)) + c.rest(n)
		if utf8.RuneCountInString(text) <= width {
			return text
		}
	}
	rest := c.rest(1)
	return shorten(Clean(c.entries[0]), max(1, width-len(rest))) + rest
}

// rest returns the mark for the entries from the n-th on.
func (c Cell) rest(n int) string { return fmt.Sprintf("%s+%d", c.between, len(c.entries)-n) }

// A Table prints rows in aligned columns. The text of cells is cleaned. A pipe gets
// every column and the whole text.
type Table struct {
	// Right names the columns, by index, that are aligned to the right.
	Right map[int]bool
	// Shrink is the index of the column that gets narrower on a narrow terminal: lists
	// end sooner, other text loses its middle. It is -1 if no column does.
	Shrink int
	// Wrap breaks the last column at words on a narrow terminal.
	Wrap bool
	// WrapFrom is the first column to break with Wrap. Zero is the last column.
	WrapFrom int
	// Drop are the columns to leave out, in this order, if shrinking is not enough.
	// Columns that still do not fit move to a further line.
	Drop []int

	rows [][]Cell
	// widths and begun are those of the rows that were printed.
	widths []int
	begun  bool
}

// NewTable begins a table with its headings.
func NewTable(headings ...string) *Table {
	t := &Table{Shrink: -1}
	row := make([]Cell, len(headings))
	for i, h := range headings {
		row[i] = Cell{Text: h, Style: Bold}
	}
	t.rows = append(t.rows, row)
	return t
}

// Row adds a row.
func (t *Table) Row(cells ...Cell) {
	for i := range cells {
		cells[i].Text = Clean(cells[i].Text)
	}
	t.rows = append(t.rows, cells)
}

// Len returns the number of rows, without the headings.
func (t *Table) Len() int { return len(t.rows) - 1 }

const (
	gap = "  "
	// further is the indent of the further lines of a row.
	further = "    "
)

// Print writes the rows of the table. Rows that are added afterwards are written by the next
// call, in columns that are at least as wide.
func (t *Table) Print(out *Terminal) {
	if t.widths == nil {
		t.widths = make([]int, len(t.rows[0]))
	}
	for _, row := range t.rows {
		widen(t.widths, row)
	}
	l := t.layout(t.widths, out.Width)
	for i, row := range t.rows {
		if i > 0 || !t.begun {
			t.print(out, l, row)
		}
	}
	t.begun = true
	t.rows = t.rows[:1]
}

// widen makes widths wide enough for a row.
func widen(widths []int, row []Cell) {
	for i, c := range row {
		widths[i] = max(widths[i], utf8.RuneCountInString(c.Text))
	}
}

// A layout describes how the rows of a table fit a terminal.
type layout struct {
	widths []int
	// lines are the columns of each line of a row.
	lines [][]int
}

const (
	// shrunk is the least width of the shrinking column before others are dropped.
	shrunk = 20
	// leastProse is the least width of prose before it gets a line of its own.
	leastProse = 24
)

// layout fits columns into a terminal; width 0 is a pipe.
func (t *Table) layout(widths []int, width int) layout {
	l := layout{widths: slices.Clone(widths)}
	if width == 0 {
		l.lines = [][]int{columns(len(widths), nil)}
		return l
	}
	for i := range widths {
		if t.wraps(i) { // it takes what is left
			l.widths[i] = min(widths[i], max(leastProse, t.leastWidth(i)))
		}
	}
	dropped := t.fit(l.widths, width)
	var line []int
	used := 0 // of the line
	for _, i := range columns(len(widths), dropped) {
		if len(line) > 0 && used+len(gap)+l.widths[i] > width {
			l.fill(t, widths, line, width-used)
			l.lines, line, used = append(l.lines, line), nil, len(further)
		}
		if len(line) > 0 {
			used += len(gap)
		}
		line, used = append(line, i), used+l.widths[i]
	}
	l.fill(t, widths, line, width-used)
	l.lines = append(l.lines, line)
	return l
}

// wraps reports whether a column breaks at words.
func (t *Table) wraps(column int) bool {
	last := len(t.rows[0]) - 1
	return t.Wrap && (column == last || t.WrapFrom > 0 && column >= t.WrapFrom)
}

// leastWidth returns the width of the longest word of a column that others follow. The
// last column may overflow.
func (t *Table) leastWidth(column int) int {
	least := 0
	if t.WrapFrom == 0 {
		return least
	}
	for _, row := range t.rows {
		for _, word := range words(row[column].Text) {
			least = max(least, columnsOf(word))
		}
	}
	return least
}

// fill gives the free width of a line to the columns in it that were narrowed, in equal
// shares.
func (l *layout) fill(t *Table, widths, line []int, left int) {
	var narrowed []int
	for _, i := range line {
		if i == t.Shrink || t.wraps(i) {
			narrowed = append(narrowed, i)
		}
	}
	slices.SortFunc(narrowed, func(a, b int) int { return (widths[a] - l.widths[a]) - (widths[b] - l.widths[b]) })
	for n, i := range narrowed {
		width := max(1, min(widths[i], l.widths[i]+left/(len(narrowed)-n)))
		left -= width - l.widths[i]
		l.widths[i] = width
	}
}

// columns returns the indexes of the columns that were not dropped.
func columns(n int, dropped map[int]bool) []int {
	var list []int
	for i := range n {
		if !dropped[i] {
			list = append(list, i)
		}
	}
	return list
}

// print writes a row.
func (t *Table) print(out *Terminal, l layout, row []Cell) {
	for n, columns := range l.lines {
		indent := ""
		if n > 0 {
			indent = further
			if !slices.ContainsFunc(columns, func(i int) bool { return !row[i].Aside }) {
				continue
			}
		}
		out.print(typeable(strings.TrimRight(indent+t.line(out, l, row, columns, len(indent)), " ")) + "\n")
	}
}

// line returns some columns of a row; prose may take several lines.
func (t *Table) line(out *Terminal, l layout, row []Cell, columns []int, indent int) string {
	parts := make([][]string, len(columns))
	height := 1
	for n, i := range columns {
		parts[n] = []string{row[i].Text}
		if i == t.Shrink {
			parts[n] = []string{row[i].within(l.widths[i])}
		} else if t.wraps(i) && out.Width > 0 {
			parts[n] = Wrap(row[i].Text, l.widths[i])
		}
		height = max(height, len(parts[n]))
	}
	lines := make([]string, height)
	for at := range lines {
		var line strings.Builder
		if at > 0 {
			line.WriteString(strings.Repeat(" ", indent))
		}
		for n, i := range columns {
			if n > 0 {
				line.WriteString(gap)
			}
			text := ""
			if at < len(parts[n]) {
				text = parts[n][at]
			}
			pad := strings.Repeat(" ", max(0, l.widths[i]-utf8.RuneCountInString(text)))
			if text != "" {
				text = out.Paint(row[i].Style, text)
			}
			if t.Right[i] {
				text = pad + text
			} else {
				text += pad
			}
			line.WriteString(text)
		}
		lines[at] = strings.TrimRight(line.String(), " ")
	}
	return strings.Join(lines, "\n")
}

// fit narrows the shrinking column, and returns the columns to drop.
func (t *Table) fit(widths []int, width int) (dropped map[int]bool) {
	dropped = map[int]bool{}
	over := len(gap)*(len(widths)-1) - width
	for _, w := range widths {
		over += w
	}
	least, has := 0, 0 // how far the shrinking column gives way first
	if t.Shrink >= 0 {
		has = widths[t.Shrink]
		least = min(shrunk, has)
	}
	for _, i := range t.Drop {
		if has-over >= least {
			break
		}
		dropped[i] = true
		over -= widths[i] + len(gap)
	}
	if t.Shrink >= 0 {
		widths[t.Shrink] = max(least/2, has-max(0, over))
	}
	return dropped
}

// A Stream prints the rows of a table as they come. On a terminal they stand under
// headings, in columns that widen when they must; in a pipe they are parts with two
// blanks between them.
type Stream struct {
	table  *Table
	out    *Terminal
	widths []int
}

// Stream begins to print a table row by row; widths are those to begin with. The
// headings are printed at once, so that a person sees that the command waits.
func (t *Table) Stream(out *Terminal, widths []int) *Stream {
	s := &Stream{t, out, widths}
	if out.Person {
		s.Row(t.rows[0]...)
	}
	return s
}

// Row prints a row.
func (s *Stream) Row(cells ...Cell) {
	for i := range cells {
		cells[i].Text = Clean(cells[i].Text)
	}
	if !s.out.Person {
		var parts []string
		for _, c := range cells {
			parts = append(parts, c.Text)
		}
		s.out.Printf("%s\n", strings.Join(parts, gap))
		return
	}
	widen(s.widths, cells)
	s.table.print(s.out, s.table.layout(s.widths, s.out.Width), cells)
}

// shorten cuts the middle out of text that is wider than width.
func shorten(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	head := (width - 1) / 3
	return string(runes[:head]) + "…" + string(runes[len(runes)-(width-1-head):])
}
