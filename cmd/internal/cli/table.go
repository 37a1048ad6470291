package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Cell is one field of a table.
type Cell struct {
	Text  string
	Style Style

	// entries and between are the text in parts; nil: it has none.
	entries []string
	between string
}

// List is a cell of several entries, none of which is cut on a narrow terminal:
// those that do not fit are counted.
func List(entries []string, between string) Cell {
	return Cell{Text: strings.Join(entries, between), entries: entries, between: between}
}

// Styled is the cell in a style.
func (c Cell) Styled(s Style) Cell {
	c.Style = s
	return c
}

// within is the text in a width.
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

// rest stands for the entries from the n-th on.
func (c Cell) rest(n int) string { return fmt.Sprintf("%s+%d", c.between, len(c.entries)-n) }

// Table prints rows in aligned columns. What is foreign in a cell is cleaned.
type Table struct {
	// Right names the columns, by index, that are aligned to the right.
	Right map[int]bool
	// Shrink is the column that gives way on a narrow terminal: lists end sooner,
	// of other text the middle is cut out. A pipe always gets the whole text.
	Shrink int
	// Drop are the columns that a terminal too narrow for that does without, in
	// this order.
	Drop []int

	rows [][]Cell
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

// Len is how many rows there are, without the headings.
func (t *Table) Len() int { return len(t.rows) - 1 }

const gap = "  "

// Print writes the table.
func (t *Table) Print(out *Terminal) {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c.Text))
		}
	}
	dropped := t.fit(widths, out.Width)
	for _, row := range t.rows {
		var line strings.Builder
		for i, c := range row {
			if dropped[i] {
				continue
			}
			if line.Len() > 0 {
				line.WriteString(gap)
			}
			text := c.Text
			if i == t.Shrink {
				text = c.within(widths[i])
			}
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(text)))
			switch {
			case t.Right[i]:
				line.WriteString(pad + out.Paint(c.Style, text))
			case i == len(row)-1:
				line.WriteString(out.Paint(c.Style, text))
			default:
				line.WriteString(out.Paint(c.Style, text) + pad)
			}
		}
		out.Printf("%s\n", strings.TrimRight(line.String(), " "))
	}
}

// shrunk is how narrow the shrinking column may become before others go.
const shrunk = 20

// fit narrows the widths to a terminal's and says which columns must go.
func (t *Table) fit(widths []int, width int) (dropped map[int]bool) {
	dropped = map[int]bool{}
	if t.Shrink < 0 || width == 0 {
		return dropped
	}
	over := len(gap)*(len(widths)-1) - width
	for _, w := range widths {
		over += w
	}
	for _, i := range t.Drop {
		if widths[t.Shrink]-over >= min(shrunk, widths[t.Shrink]) {
			break
		}
		dropped[i] = true
		over -= widths[i] + len(gap)
	}
	widths[t.Shrink] = max(min(shrunk, widths[t.Shrink])/2, widths[t.Shrink]-max(0, over))
	return dropped
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
