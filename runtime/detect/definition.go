package detect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// definition is one runtime, prepared for detection once for the life of the
// detector.
type definition struct {
	*metadata.Definition
	name string // capability name
	once sync.Once
	prepared
}

// prepared is what a definition asks for.
type prepared struct {
	// fault is why the metadata cannot be used; then there is nothing else.
	fault error
	// ways are the definition's own verification and those of its versions, as
	// far as they have commands.
	ways []*way
	// leftOut are versions that cannot be used.
	leftOut []capability.Failure
}

func (p *prepared) warnings() (out []string) {
	for _, f := range p.leftOut {
		out = append(out, f.Ref+": "+f.Detail)
	}
	return out
}

// way is one way to verify a runtime: the definition's own, or that of one of
// its versions.
type way struct {
	ref   string
	label label
	// standard: what PATH gives on this way is the runtime's default.
	standard    bool
	commands    []*command // in the order they are tried
	locations   []string
	versionFile *versionFile
	// located is how many ways of the definition have locations.
	located int
	// trust guards trusted: a trusted pack has all locations.
	trust   sync.Once
	trusted bool
	// Zero versions are no limit.
	min, recommended version.Version
	interpreter      string
}

type command struct {
	metadata.Command
	// asked is the command as a policy knows it, looked up in PATH.
	asked          host.Command
	argv           []string
	timeout        time.Duration
	pattern        *expression
	versionPattern *expression
}

// at is the command with an executable that was found for it.
func (c *command) at(f found) host.Command {
	cmd := c.asked
	cmd.Location, cmd.Shimmed = f.location, f.shimmed
	return cmd
}

// line is the command for a message.
func (c *command) line() string { return "`" + host.CommandLine(c.Binary, c.Args) + "`" }

type versionFile struct {
	path    string
	pattern *expression
}

// prepare reads the definition's metadata, the first time that it is called.
func (d *definition) prepare() *prepared {
	d.once.Do(func() { d.prepared = prepareDefinition(d.Definition) })
	return &d.prepared
}

func prepareDefinition(d *metadata.Definition) prepared {
	own := errors.Join(d.NamesFault(), unusable(d.Distributions, d.ExecutionConfig))
	if own != nil {
		return prepared{fault: own}
	}
	var p prepared
	p.ways = appendWay(p.ways, d, "", d.Distributions, d.ExecutionConfig)
	for _, v := range d.Versions {
		if fault := unusable(v.Distributions, v.ExecutionConfig); fault != nil {
			p.leftOut = append(p.leftOut, leftOut(d.Ref, d.CapabilityName(), v.Version, fault))
			continue
		}
		if v.Distributions.MinVersion == "" {
			v.Distributions.MinVersion = d.Distributions.MinVersion
		}
		if v.Distributions.RecommendedVersion == "" {
			v.Distributions.RecommendedVersion = d.Distributions.RecommendedVersion
		}
		if v.ExecutionConfig.Interpreter == nil {
			v.ExecutionConfig.Interpreter = d.ExecutionConfig.Interpreter
		}
		before := len(p.ways)
		p.ways = appendWay(p.ways, d, v.Version, v.Distributions, v.ExecutionConfig)
		if len(p.ways) > before && !p.ways[0].standard {
			p.ways[before].standard = v.IsDefault
		}
	}
	located := 0
	for _, w := range p.ways {
		located += min(len(w.locations), 1)
	}
	for _, w := range p.ways {
		w.located = located
	}
	return p
}

// label is a version that a definition declares; empty is the definition itself.
type label struct {
	text string
	// stands is the versions that label stands for; nil is any.
	stands *version.Constraint
}

func newLabel(text string) label {
	l := label{text: text}
	// It may be any word, as lts.
	if _, err := version.Parse(text); err == nil {
		if c, err := version.ParseConstraint(text); err == nil {
			l.stands = &c
		}
	}
	return l
}

// fits reports whether an installation of version v, as raw says it, is of the
// version that is declared: 3.12.4 is 3.12, and so is what says 1.8.0_392 of
// itself 1.8. Of an unknown version that is taken as said.
func (l label) fits(v version.Version, raw string) bool {
	if l.stands == nil || v == (version.Version{}) || l.stands.Match(v, true) {
		return true
	}
	for _, word := range strings.FieldsFunc(raw, func(c rune) bool { return strings.ContainsRune(` "'(),`, c) }) {
		rest, ok := strings.CutPrefix(word, l.text)
		if said, err := version.Parse(word); ok && err == nil && said == v {
			return rest == "" || rest[0] < '0' || rest[0] > '9'
		}
	}
	return false
}

// unusable is why a verification cannot be used as it stands, or nil.
func unusable(dist metadata.Distributions, exec metadata.ExecutionConfig) error {
	for _, doc := range []struct {
		column string
		fault  error
	}{
		{"distributions", dist.Fault()}, {"execution_config", exec.Fault()},
		{"distributions", dist.Validate()}, {"execution_config", exec.Validate()},
	} {
		if doc.fault != nil {
			return fmt.Errorf("%s: %w", doc.column, doc.fault)
		}
	}
	return nil
}

// appendWay appends the way that dist describes, if it has commands.
func appendWay(ways []*way, d *metadata.Definition, declared string, dist metadata.Distributions, exec metadata.ExecutionConfig) []*way {
	v := dist.Verification
	if v == nil || len(v.Commands) == 0 {
		return ways
	}
	w := &way{ref: d.Ref, label: newLabel(declared), standard: declared == "", locations: v.Locations}
	if exec.Interpreter != nil {
		w.interpreter = exec.Interpreter.Binary
	}
	for _, c := range v.Ordered() {
		asked := commandOf(v, c)
		asked.Interpreter = w.interpreter
		w.commands = append(w.commands, &command{
			Command:        c,
			asked:          asked,
			argv:           slices.Concat([]string{c.Binary}, c.Args),
			timeout:        c.TimeoutOrDefault(),
			pattern:        lazy(c.Pattern),
			versionPattern: lazy(c.VersionPattern),
		})
	}
	if f := v.VersionFile; f != nil {
		w.versionFile = &versionFile{path: f.Path, pattern: lazy(f.Pattern)}
	}
	// Validation has read both.
	w.min, _ = version.Parse(dist.MinVersion)
	w.recommended, _ = version.Parse(dist.RecommendedVersion)
	return append(ways, w)
}
