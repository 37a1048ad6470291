package gen

import (
	"fmt"
	"strings"
)

// scalar are the cases in which a member of the object source is wrong: its type,
// and what is to be said of it without looking into it.
func (g *sqliteGuard) scalar(f *Field, source, member, at string) string {
	if f.Type.Kind == Raw {
		return ""
	}
	var out []string
	when := func(condition, message string) {
		out = append(out, "WHEN "+condition+" THEN "+g.rule(at, message))
	}
	allowed := append(append([]string{}, sqliteTypes[f.Type.Kind]...), "null")
	when(fmt.Sprintf("%s.type NOT IN %s", member, sqlList(allowed...)), "must be "+f.Type.wanted())
	value := member + ".atom"
	switch f.Type.Kind {
	case Int:
		when(fmt.Sprintf("%[1]s.type <> 'null' AND (%[2]s NOT BETWEEN %[3]d AND %[4]d OR %[1]s.type = 'real' AND NOT %[5]s)",
			member, value, f.Min, f.Max, sqliteWhole(source, member)), f.demandInt())
	case Duration:
		when(value+" = ''", demandDuration(f))
	case Text:
		if f.Required {
			when(value+" = ''", demandRequired)
		}
		if f.Type.Enum != nil {
			when(fmt.Sprintf("%s NOT IN %s", value, sqlList(append(enumValues(f.Type.Enum), "")...)), demandEnum(f.Type.Enum))
		}
		if f.length() > 0 {
			when(f.tooLong(value), f.demandShort())
		}
		if condition := g.format(f.Format, value); condition != "" {
			when(value+" <> '' AND "+condition, f.Format.demand())
		}
	case List:
		if f.list().Required {
			when(fmt.Sprintf("%[1]s.type = 'array' AND json_array_length(%[1]s.value) = 0", member), demandRequired)
		}
		if list := f.list(); list.Most > 0 {
			when(fmt.Sprintf("%[1]s.type = 'array' AND json_array_length(%[1]s.value) > %[2]d", member, list.Most), list.demandFew())
		}
	}
	return strings.Join(out, " ")
}

// format is the condition that a text is not of a format; empty where nobody
// outside of Go knows.
func (g *sqliteGuard) format(f *Format, value string) string {
	if f == nil || f.Pattern == nil {
		return ""
	}
	condition := "NOT " + g.follow(f.Pattern, value)
	if f.Except != nil {
		condition = "(" + condition + " OR " + g.follow(f.Except, value) + ")"
	}
	return condition
}

func (f *Field) tooLong(value string) string {
	return fmt.Sprintf("length(%s) > %d", value, f.length())
}

func (g *sqliteGuard) follow(p *Pattern, value string) string {
	a, err := p.automaton()
	if err != nil {
		g.problems.add(p.Pos, "%v: the guards of SQLite cannot follow it", err)
	}
	return a.sqlite(value)
}
