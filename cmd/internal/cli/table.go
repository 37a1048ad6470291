package cli

import (
	"strings"
	"unicode/utf8"
)

// Cell is one field of a table.
type Cell struct {
	Text  string
	Style Style
}

// Table prints rows in aligned columns. What is foreign in a cell is cleaned.
type Table struct {
	// Right names the columns, by index, that are aligned to the right.
	Right map[int]bool
	// Shrink is the column that gives way on a narrow terminal; its middle is
	// cut out. A pipe always gets the whole text.
	Shrink int

	rows [][]Cell
}

// NewTable begins a table with its headings.
func NewTable(headings ...string) *Table {
	t := &Table{Shrink: -1}
	row := make([]Cell, len(headings))
	for i, h := range headings {
		row[i] = Cell{h, Bold}
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
	if t.Shrink >= 0 && out.Width > 0 {
		total := len(gap) * (len(widths) - 1)
		for _, w := range widths {
			total += w
		}
		widths[t.Shrink] = max(12, widths[t.Shrink]-max(0, total-out.Width))
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, c := range row {
			if i > 0 {
				line.WriteString(gap)
			}
			text := c.Text
			if i == t.Shrink {
				text = shorten(text, widths[i])
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
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

// shorten cuts the middle out of text that is wider than width.
func shorten(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	head := (width - 1) / 3
	return string(runes[:head]) + "…" + string(runes[len(runes)-(width-1-head):])
}
