package cli

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// A completing is a command line whose last word is not written to the end. It knows what can stand
// there from the model of the grammar.
type completing struct {
	root, node *kong.Node
	// value is the flag whose value is the last word, after a flag in a word of its own.
	value *kong.Flag
	// positionals counts the arguments before the last word, and literal is whether no flags follow.
	positionals int
	literal     bool
	// global holds the flags of every command.
	global []string
	last   string
}

// read reads the words of a command line without the program.
func (c *completing) read(words []string) {
	c.node = c.root
	if len(words) == 0 {
		return
	}
	before := words[:len(words)-1]
	c.last = words[len(words)-1]
	for i := 0; i < len(before); i++ {
		word := before[i]
		switch {
		case c.literal:
			c.positionals++
		case word == "--":
			c.literal = true
		case strings.HasPrefix(word, "-") && len(word) > 1:
			i = c.readFlag(before, i)
		default:
			c.descend(word)
		}
	}
}

// readFlag reads the flag at a position, and returns the position of its last word.
func (c *completing) readFlag(words []string, i int) int {
	flag, whole := c.flag(words[i])
	if flag == nil {
		return i
	}
	given := []string{words[i]}
	if !flag.IsBool() && !whole {
		if i++; i == len(words) {
			c.value = flag
			return i
		}
		given = append(given, words[i])
	}
	if slices.Contains(c.root.Flags, flag) {
		c.global = append(c.global, given...)
	}
	return i
}

// flag returns the flag of a word, and whether the word has its value.
func (c *completing) flag(word string) (flag *kong.Flag, whole bool) {
	name, _, whole := strings.Cut(word, "=")
	for _, flag := range c.flags() {
		short := flag.Short != 0 && name == "-"+string(flag.Short)
		if name == "--"+flag.Name || short || flag.Negated && name == "--no-"+flag.Name {
			return flag, whole
		}
	}
	return nil, false
}

// flags returns the flags that the command accepts, with inherited ones.
func (c *completing) flags() (flags []*kong.Flag) {
	for _, group := range c.node.AllFlags(true) {
		flags = append(flags, group...)
	}
	return flags
}

// descend goes on to a subcommand, or counts an argument.
func (c *completing) descend(word string) {
	for _, child := range c.node.Children {
		if child.Name == word || slices.Contains(child.Aliases, word) {
			c.node = child
			return
		}
	}
	c.positionals++
}

// candidates returns what can stand in place of the last word. names returns names of a kind, such as
// RUNTIME, that begin with a text.
func (c *completing) candidates(names func(kind, begin string) []Candidate) (all []Candidate) {
	name, value, whole := strings.Cut(c.last, "=")
	switch {
	case c.value != nil:
		all = c.values(c.value.Value, c.value.PlaceHolder, c.last, names)
	case strings.HasPrefix(c.last, "--") && whole && !c.literal:
		if flag, _ := c.flag(name); flag != nil {
			for _, v := range c.values(flag.Value, flag.PlaceHolder, value, names) {
				if v.Word != filesCandidate {
					v.Word = name + "=" + v.Word
				}
				all = append(all, v)
			}
		}
	case strings.HasPrefix(c.last, "-") && !c.literal:
		for _, flag := range c.flags() {
			all = append(all, Candidate{"--" + flag.Name, flag.Help})
		}
	default:
		for _, child := range c.node.Children {
			if !child.Hidden && c.positionals == 0 {
				all = append(all, Candidate{child.Name, child.Help})
			}
		}
		if n := len(c.node.Positional); n > 0 {
			if at := c.node.Positional[min(c.positionals, n-1)]; c.positionals < n || at.IsSlice() {
				all = append(all, c.values(at, at.Tag.PlaceHolder, c.last, names)...)
			}
		}
	}
	return slices.DeleteFunc(all, func(one Candidate) bool {
		return one.Word != filesCandidate && !strings.HasPrefix(one.Word, c.last)
	})
}

// values returns the candidates for a value that begins with a text.
func (c *completing) values(of *kong.Value, placeholder, begin string, names func(kind, begin string) []Candidate) (all []Candidate) {
	kind := placeholder
	if kind == "" {
		kind = strings.ToUpper(of.Name)
	}
	switch {
	case of.Enum != "":
		for _, word := range of.EnumSlice() {
			all = append(all, Candidate{Word: word})
		}
		return all
	case of.Tag.Type == "path" || kind == "FILE" || strings.HasPrefix(kind, "DIR"):
		return []Candidate{{Word: filesCandidate}}
	}
	if of.Flag != nil && slices.Contains(c.root.Flags, of.Flag) {
		return nil // they say where names are
	}
	return names(kind, begin)
}
