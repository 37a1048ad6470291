package packs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/attune-go/attune/schema/metadata"
)

// unknown reports a key that its object does not have, with the key or place that was
// probably meant.
func (l *loader) unknown(d *loadedDefinition, u metadata.UnknownKey, places []place) {
	severity, message := Warning, fmt.Sprintf("unknown key %q", u.Key)
	if near := metadata.Nearest(u.Key, u.Known); near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	} else if path := meant(u, places); path != "" {
		message += fmt.Sprintf(" here; did you mean %s?", path)
	}
	if l.cfg.Strict {
		severity = Error
	}
	l.key(d, severity, u.Pointer, message)
}

// A place is an object of a document with the keys that it has.
type place struct {
	path string // such as distributions.verification; empty means the whole document
	keys []string
}

// definitionPlaces returns the objects of a definition, outer ones first. Versions have
// the objects of the definition.
var definitionPlaces = sync.OnceValue(func() []place {
	var d metadata.Definition
	// Each object answers to an unknown key with the keys that it has.
	err := d.UnmarshalJSON([]byte(`{"?": 1, "distributions": {"?": 1, "verification": {"?": 1, "commands": [{"?": 1}],
		"version_file": {"?": 1}}}, "execution_config": {"?": 1, "interpreter": {"?": 1}}}`))
	if err != nil {
		panic(err) // the document is a constant
	}
	var out []place
	for _, u := range d.UnknownKeys() {
		_, path := split(u)
		out = append(out, place{path, u.Known})
	}
	slices.SortStableFunc(out, func(a, b place) int { return len(a.path) - len(b.path) })
	return out
})

// meant returns the path to the key of u in another object that has it: preferably below
// the object of u, then above it. It returns "" if no object has the key.
func meant(u metadata.UnknownKey, places []place) string {
	version, here := split(u)
	above, anywhere := "", ""
	for _, p := range places {
		if p.path == here || !slices.Contains(p.keys, u.Key) || version && p.path == "" {
			continue
		}
		path := strings.TrimPrefix(p.path+"."+u.Key, ".")
		switch {
		case here == "":
			return path
		case strings.HasPrefix(p.path, here):
			return strings.TrimPrefix(strings.TrimPrefix(path, here), ".")
		case p.path == "":
			above = path + " at the top level"
		case strings.HasPrefix(here, p.path):
			above = path
		case anywhere == "":
			anywhere = path
		}
	}
	if above != "" {
		return above
	}
	return anywhere
}

var index = regexp.MustCompile(`/\d+(/|$)`)

// split returns the path of the object that u is in, relative to the definition's version
// if it is in one.
func split(u metadata.UnknownKey) (version bool, path string) {
	pointer := u.Pointer[:strings.LastIndexByte(u.Pointer, '/')]
	if rest, ok := strings.CutPrefix(pointer, "/versions/"); ok {
		_, pointer, _ = strings.Cut(rest, "/")
		version = true
	}
	path = strings.TrimPrefix(index.ReplaceAllString(pointer, "[]$1"), "/")
	return version, strings.ReplaceAll(path, "/", ".")
}
