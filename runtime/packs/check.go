package packs

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// duplicates reports refs and names that occur in two files of the pack.
func (l *loader) duplicates() {
	refs, names := map[string]*loadedDefinition{}, map[string]nameUse{}
	for _, d := range l.loaded {
		if d.def.Ref == "" {
			continue
		}
		if first := refs[d.def.Ref]; first != nil {
			l.value(d, Error, "/ref", fmt.Sprintf("duplicate ref %s: the first is in %s", d.def.Ref, first.where("/ref")))
			continue // its names are duplicates too
		}
		refs[d.def.Ref] = d
		for _, n := range namesOf(d) {
			if first, ok := names[n.name]; ok && first.owner != d {
				l.value(d, Error, n.pointer, fmt.Sprintf("duplicate name %q: %s has it in %s",
					n.name, first.owner.def.Ref, first.owner.where(first.pointer)))
				continue
			}
			names[n.name] = n
		}
	}
}

// A nameUse is a name of a definition, with its place.
type nameUse struct {
	name    string
	owner   *loadedDefinition
	pointer string
}

// namesOf returns the names that mean a definition in commands and config: its aliases,
// or its capability name if it has none.
func namesOf(d *loadedDefinition) []nameUse {
	var out []nameUse
	for i, alias := range d.def.Aliases {
		out = append(out, nameUse{strings.ToLower(alias), d, "/aliases/" + strconv.Itoa(i)})
	}
	if len(out) == 0 {
		out = append(out, nameUse{d.def.CapabilityName(), d, "/ref"})
	}
	return out
}

// where formats the place of pointer in d's file.
func (d *loadedDefinition) where(pointer string) string {
	at, _ := d.doc.locate(pointer)
	return fmt.Sprintf("%s:%d:%d", d.file, at.Line, at.Column)
}

// sharedNames warns about names that mean a definition of the core pack.
func (l *loader) sharedNames() {
	core := metadata.NewIndex(Core().Definitions)
	for _, d := range l.loaded {
		for _, n := range namesOf(d) {
			if other, ok := core.Resolve(n.name); ok {
				l.value(d, Warning, n.pointer, fmt.Sprintf("%q means %s, because the core pack comes first; to mean this one write %s",
					n.name, other.Ref, d.def.Ref))
			}
		}
	}
}

// advice warns about values that are allowed and probably a mistake.
func (l *loader) advice(d *loadedDefinition) {
	verified := verifies(&d.def.Distributions)
	for i := range d.def.Versions {
		v := &d.def.Versions[i]
		verified = verified || verifies(&v.Distributions)
	}
	if !verified {
		l.key(d, Warning, "/distributions", "no host will have this runtime, because nothing verifies it: "+
			"add verification.commands or verification.always_available")
	}
	for at, v := range verifications(&d.def) {
		l.refusedEnv(d, at, v)
		l.backspace(d, at, v)
		l.allVersions(d, at, v)
	}
	l.minAboveRecommended(d, "/distributions", &d.def.Distributions)
	interpreter := d.def.ExecutionConfig.Interpreter
	l.interpreter(d, "/execution_config/interpreter/binary", interpreter, &d.def.Distributions)
	for i := range d.def.Versions {
		v, at := &d.def.Versions[i], "/versions/"+strconv.Itoa(i)
		l.minAboveRecommended(d, at+"/distributions", &v.Distributions)
		switch own := v.ExecutionConfig.Interpreter; {
		case own == nil && verifies(&v.Distributions):
			// The definition's interpreter executes what this version verifies.
			l.interpreter(d, at, interpreter, &v.Distributions)
		case verifies(&v.Distributions):
			l.interpreter(d, at+"/execution_config/interpreter/binary", own, &v.Distributions)
		default:
			l.interpreter(d, at+"/execution_config/interpreter/binary", own, &d.def.Distributions)
		}
	}
}

func verifies(d *metadata.Distributions) bool {
	v := d.Verification
	return v != nil && (!v.MustCheck() || len(v.Commands) > 0)
}

func (l *loader) minAboveRecommended(d *loadedDefinition, at string, dist *metadata.Distributions) {
	low, err1 := version.Parse(dist.MinVersion)
	good, err2 := version.Parse(dist.RecommendedVersion)
	if err1 == nil && err2 == nil && low.Compare(good) > 0 {
		l.value(d, Warning, at+"/recommended_version",
			fmt.Sprintf("must be at least min_version %s, got %s", dist.MinVersion, dist.RecommendedVersion))
	}
}

// interpreter warns about an interpreter that no command or location verifies. On a
// host that counts as having the runtime, it may be missing or another installation.
func (l *loader) interpreter(d *loadedDefinition, at string, i *metadata.Interpreter, dist *metadata.Distributions) {
	if i == nil || i.Binary == "" || !verifies(dist) || !dist.Verification.MustCheck() {
		return
	}
	for _, c := range dist.Verification.Commands {
		if path.Base(c.Binary) == path.Base(i.Binary) {
			return
		}
	}
	for _, glob := range dist.Verification.Locations {
		if ok, _ := path.Match(path.Base(glob), path.Base(i.Binary)); ok {
			return
		}
	}
	l.value(d, Warning, at, fmt.Sprintf("no command or location verifies the interpreter %q", i.Binary))
}
