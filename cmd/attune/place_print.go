package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
)

// How many lines a terminal shows of an answer, so that it fits one screen. A pipe gets everything.
const (
	mostGroupLines = 12
	mostHelpLines  = 5
)

// A placePrinter prints answers for people.
type placePrinter struct {
	*cli.Env
	index *metadata.Index
}

func (p *placePrinter) print(a *placement.Answer) {
	defer p.notes(a.Notes)
	style, text := cli.Green, fmt.Sprintf("%d of %s fit", a.Fit, cli.Count(a.Fleet, "worker"))
	switch {
	case a.Fleet == 0:
		style, text = cli.Yellow, "no workers"
	case a.Fit == 0:
		style, text = cli.Yellow, fmt.Sprintf("none of %s fits", cli.Count(a.Fleet, "worker"))
	case a.Fit == 1:
		text = fmt.Sprintf("1 of %s fits", cli.Count(a.Fleet, "worker"))
	}
	p.Out.Printf("%s\n", p.Out.Paint(style, text))
	switch {
	case a.Hosts != nil:
		p.hosts(a.Hosts)
	case a.Fit > 0:
		p.placed(a)
	case a.Fleet > 0:
		p.groups(a.Groups)
		p.helps(a.Helps)
	}
}

func (p *placePrinter) notes(notes []string) {
	for _, note := range notes {
		p.Note(note)
	}
}

// name returns the name by which people know a runtime.
func (p *placePrinter) name(ref string) string {
	def, ok := p.index.Resolve(ref)
	if !ok {
		return ref
	}
	name := def.CapabilityName()
	if other, ok := p.index.Resolve(name); !ok || other.Ref != ref {
		return ref
	}
	return name
}

// placed prints the workers that fit, and what runs the runtimes there. A terminal shows the path of a
// single runtime only.
func (p *placePrinter) placed(a *placement.Answer) {
	headings := []string{"NAME", "ROLE", "FREE"}
	weighted := slices.ContainsFunc(a.Placed, func(w placement.PlacedWorker) bool { return w.Weight != 0 })
	if weighted {
		headings = append(headings, "WEIGHT")
	}
	for _, runtime := range a.Requirement.Runtimes {
		headings = append(headings, cli.Clean(strings.ToUpper(p.name(runtime.Name))))
	}
	t := cli.NewTable(headings...)
	t.Right = map[int]bool{2: true, 3: weighted}
	t.Shrink = 0
	paths := !p.Out.Person || len(a.Requirement.Runtimes) == 1
	if len(a.Requirement.Runtimes) == 1 {
		t.Shrink = len(headings) - 1
	}
	for i := range a.Placed {
		w := &a.Placed[i]
		cells := []cli.Cell{{Text: w.Name}, {Text: string(w.Role)}, {Text: strconv.Itoa(w.Free)}}
		if weighted {
			cells = append(cells, cli.Cell{Text: strconv.Itoa(w.Weight)})
		}
		for _, chosen := range w.Runtimes {
			text := cli.Or(chosen.Version, "unknown version")
			if paths {
				text = strings.TrimSpace(text + " " + chosen.Path)
			}
			cells = append(cells, cli.Cell{Text: text, Style: cli.Green})
		}
		t.Row(cells...)
	}
	t.Print(p.Out)
	if more := a.Fit - len(a.Placed); more > 0 {
		p.Out.Printf("%d more; --limit 0 shows all\n", more)
	}
}

// groups prints why workers do not fit, and the nearest of each group.
func (p *placePrinter) groups(groups []placement.Group) {
	p.Out.Printf("\n%s\n", p.Out.Paint(cli.Bold, "WORKERS  WHY NOT"))
	shown := p.entries(len(groups), mostGroupLines, func(out *cli.Terminal, i int) {
		g := &groups[i]
		out.PrintProse(cli.Plain, count(g.Hosts), 0, cli.Clean(p.why(g.Reasons)))
		out.PrintProse(cli.Plain, count(0), 0, cli.Clean("nearest is "+g.Nearest.Name+": "+placement.Actual(g.Nearest.Reasons)))
	})
	rest := 0
	for _, g := range groups[shown:] {
		rest += g.Hosts
	}
	if rest > 0 {
		p.Out.Printf("%s more for other reasons; --json lists all\n", count(rest))
	}
}

// helps prints what would make workers fit.
func (p *placePrinter) helps(helps []placement.Help) {
	if len(helps) == 0 {
		return
	}
	p.Out.Printf("\n%s\n", p.Out.Paint(cli.Bold, "WORKERS  WHAT WOULD HELP"))
	shown := p.entries(len(helps), mostHelpLines, func(out *cli.Terminal, i int) {
		h := &helps[i]
		out.PrintProse(cli.Plain, count(h.Workers), 0, cli.Clean(h.Text))
		if h.Command != "" {
			out.PrintProse(cli.Plain, count(0), 0, out.Paint(cli.Cyan, "`"+cli.Clean(h.Command)+"`"))
		}
	})
	if more := len(helps) - shown; more > 0 {
		p.Out.Printf("%s%d more would help; --json lists all\n", count(0), more)
	}
}

// count returns a number of workers as the label of an entry. Zero is blank.
func count(workers int) string {
	if workers == 0 {
		return strings.Repeat(" ", 9)
	}
	return fmt.Sprintf("%7d  ", workers)
}

// entries prints entries of several lines. A terminal shows the first one, and further ones until they
// have so many lines. It returns how many it printed.
func (p *placePrinter) entries(n, most int, print func(out *cli.Terminal, i int)) int {
	lines := 0
	for i := range n {
		var text bytes.Buffer
		out := *p.Out
		out.Writer = &text
		print(&out, i)
		lines += bytes.Count(text.Bytes(), []byte("\n"))
		if p.Out.Person && i > 0 && lines > most {
			return i
		}
		_, _ = p.Out.Write(text.Bytes()) // Lost remembers
	}
	return n
}

// hosts prints each worker with its verdict.
func (p *placePrinter) hosts(hosts []placement.Host) {
	t := cli.NewTable("NAME", "FITS", "WHY NOT", "HAS")
	t.Wrap, t.WrapFrom = true, 2
	for i := range hosts {
		h := &hosts[i]
		fits := cli.Cell{Text: "yes", Style: cli.Green}
		if !h.Fits {
			fits = cli.Cell{Text: "no", Style: cli.Yellow}
		}
		t.Row(cli.Cell{Text: h.Name}, fits, cli.Cell{Text: p.why(h.Reasons), Aside: h.Fits},
			cli.Cell{Text: placement.Actual(h.Reasons), Aside: h.Fits})
	}
	t.Print(p.Out)
}

// why returns reasons in words, without what workers have.
func (p *placePrinter) why(reasons []placement.Reason) string { return placement.Why(reasons, p.name) }

// summary returns a requirement as arguments and flags, or as JSON if they cannot express it.
func summary(r *placement.Requirement) string {
	if line := placement.Command(r); line != "" {
		return strings.TrimSpace(strings.TrimPrefix(line, "attune place"))
	}
	text, err := r.MarshalJSON()
	if err != nil { // it was read, so it has no fault
		return err.Error()
	}
	return string(text)
}
