package detector

import (
	"errors"
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/attune-go/attune/gen"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

// ReadPacks reads pack folders. The name core means the embedded core pack. Unknown keys
// are errors if strict is set, else warnings.
func ReadPacks(dirs []string, strict bool) (src Source, warnings gen.Faults, err error) {
	src.Pos = map[string]token.Position{}
	var wrong gen.Faults
	for _, dir := range dirs {
		pack, faults := read(dir, strict)
		for _, f := range faults {
			switch f.Severity {
			case packs.Error:
				wrong = append(wrong, fault(f))
			case packs.Warning:
				warnings = append(warnings, fault(f))
			case packs.Note: // the generated package trusts its own commands
			}
		}
		wrong = append(wrong, src.add(pack)...)
	}
	if len(wrong) > 0 {
		return Source{}, warnings, wrong
	}
	slices.SortFunc(src.Definitions, byRef)
	return src, warnings, nil
}

func read(dir string, strict bool) (*packs.Pack, packs.Faults) {
	if dir == metadata.CorePack {
		return packs.Core(), nil
	}
	return packs.LoadDir(dir, packs.Config{Strict: strict, Core: true})
}

// fault converts a pack's fault for the generator.
func fault(p packs.Fault) gen.Fault {
	message := p.Message
	if p.Pointer != "" {
		message = p.Pointer + ": " + message
	}
	return gen.Fault{Pos: token.Position{Filename: visible(p.File), Line: p.Line, Column: p.Column}, Message: visible(message)}
}

// visible escapes what would change lines or a terminal. Names of keys and files can hold
// any text.
func visible(text string) string {
	var out strings.Builder
	for _, r := range text {
		if displayed(r) {
			out.WriteRune(r)
		} else {
			out.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return out.String()
}

// displayed reports whether a terminal shows a character. Some letters and selectors are
// invisible.
func displayed(r rune) bool {
	return strconv.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// add adds the definitions of a pack and reports duplicate refs.
func (s *Source) add(pack *packs.Pack) (wrong gen.Faults) {
	for _, def := range pack.Definitions {
		at := pack.Places[def.Ref]
		pos := token.Position{Filename: visible(pack.Files[def.Ref]), Line: at.Line, Column: at.Column}
		if first, ok := s.Pos[def.Ref]; ok {
			wrong = append(wrong, gen.Fault{Pos: pos, Message: fmt.Sprintf("duplicate ref %s: the first is at %s", def.Ref, first)})
			continue
		}
		s.Pos[def.Ref] = pos
		s.Definitions = append(s.Definitions, def)
	}
	s.Core = s.Core || pack.Ref == metadata.CorePack
	return wrong
}

// FromRows checks the definitions of a database. A fault names the database, the ref,
// the version for a row of runtime_version, and a JSON pointer that begins with the
// column:
//
//	sqlite:x.db: acme.cobol 3.12: /distributions/verification/commands/0/pattern: missing closing )
func FromRows(name string, rows []metadata.Definition) (Source, error) {
	src := Source{Definitions: slices.SortedFunc(slices.Values(rows), byRef), Pos: map[string]token.Position{}}
	pos := token.Position{Filename: name}
	var wrong gen.Faults
	for i := range src.Definitions {
		def := &src.Definitions[i]
		src.Pos[def.Ref] = pos
		for _, err := range []error{def.Validate(), def.Contradictions()} {
			var faults metadata.Faults
			errors.As(err, &faults) // their only kind of error
			for _, f := range faults {
				wrong = append(wrong, gen.Fault{Pos: pos, Message: visible(inRow(def, f))})
			}
		}
	}
	if len(wrong) > 0 {
		return Source{}, wrong
	}
	return src, nil
}

// inRow formats a fault with the row that it is in.
func inRow(def *metadata.Definition, f metadata.Fault) string {
	if rest, ok := strings.CutPrefix(f.Pointer, "/versions/"); ok {
		index, pointer, _ := strings.Cut(rest, "/")
		if i, err := strconv.Atoi(index); err == nil {
			f.Pointer = "/" + pointer
			return def.Ref + " " + def.Versions[i].Version + ": " + f.Error()
		}
	}
	return def.Ref + ": " + f.Error()
}
