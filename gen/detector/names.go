package detector

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/attune-go/attune/gen"
	"github.com/attune-go/attune/schema/metadata"
)

// goNames returns the names of the runtimes in Go, by ref: acme.big-lisp becomes BigLisp.
// A name in two packs gets the pack's name as a prefix, so that adding a pack does not
// change the meaning of a name.
func goNames(src Source) (map[string]string, error) {
	packs := map[string]map[string]bool{}
	for i := range src.Definitions {
		pack, rest, _ := strings.Cut(src.Definitions[i].Ref, ".")
		name := goName(rest)
		if packs[name] == nil {
			packs[name] = map[string]bool{}
		}
		packs[name][pack] = true
	}
	names, taken := map[string]string{}, map[string]string{}
	var faults gen.Faults
	for i := range src.Definitions {
		ref := src.Definitions[i].Ref
		_, rest, _ := strings.Cut(ref, ".")
		name := goName(rest)
		if len(packs[name]) > 1 {
			name = goName(ref)
		}
		if first, ok := taken[name]; ok {
			faults = append(faults, gen.Fault{Pos: src.Pos[ref], Message: fmt.Sprintf(
				"%s has the Go name %s, as has %s at %s: change one of the refs", ref, name, first, src.Pos[first])})
			continue
		}
		names[ref], taken[name] = name, ref
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return names, nil
}

// goName returns the exported name made of the words of a ref. It separates two adjacent
// numbers, and does not begin with one.
func goName(ref string) string {
	var out strings.Builder
	for word := range strings.FieldsFuncSeq(ref, func(r rune) bool { return strings.ContainsRune("._-", r) }) {
		switch before := out.String(); {
		case !isDigit(word[0]):
		case before == "":
			out.WriteString("Runtime")
		case isDigit(before[len(before)-1]):
			out.WriteByte('_')
		}
		out.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return out.String()
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func byRef(a, b metadata.Definition) int { return cmp.Compare(a.Ref, b.Ref) }
