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

// A definition is one runtime, prepared for detection once per detector.
type definition struct {
	*metadata.Definition
	name string // capability name
	once sync.Once
	parsedDefinition
}

// A parsedDefinition is the parsed verification of a definition.
type parsedDefinition struct {
	// fault is the reason why the metadata is unusable; the other fields are empty then.
	fault error
	// ways holds the verifications, of the definition and its versions, that have
	// commands.
	ways []*way
	// unusable holds a failure for each version with unusable metadata.
	unusable []capability.Failure
}

func (p *parsedDefinition) warnings() (out []string) {
	for _, f := range p.unusable {
		out = append(out, f.Ref+": "+f.Detail)
	}
	return out
}

// A way is one verification of a runtime: the definition's own, or that of one of its
// versions.
type way struct {
	ref   string
	label label
	// standard means that the installation found in PATH is the runtime's default.
	standard    bool
	commands    []*command // in the order they are tried
	locations   []string
	versionFile *versionFile
	// located counts the definition's ways that have locations.
	located int
	// trusted means that a trusted pack has all locations; checkTrust sets it.
	checkTrust sync.Once
	trusted    bool
	// min and recommended are zero if unset.
	min, recommended version.Version
	interpreter      string
	// digest returns the definition's.
	digest func() string
}

type command struct {
	metadata.Command
	// inPath is the command for a policy, with an executable found in PATH.
	inPath         host.Command
	argv           []string
	timeout        time.Duration
	pattern        *expression
	versionPattern *expression
}

// at returns the command for a policy, with an executable found by f.
func (c *command) at(f lookup) host.Command {
	cmd := c.inPath
	cmd.Location, cmd.Shimmed, cmd.Versioned = f.location, f.shimmed, f.versioned
	return cmd
}

// line returns the command for a message.
func (c *command) line() string { return "`" + host.CommandLine(c.Binary, c.Args) + "`" }

type versionFile struct {
	path    string
	pattern *expression
}

// prepare returns the parsed verification. It parses at its first call.
func (d *definition) prepare() *parsedDefinition {
	d.once.Do(func() { d.parsedDefinition = prepareDefinition(d.Definition) })
	return &d.parsedDefinition
}

func prepareDefinition(d *metadata.Definition) parsedDefinition {
	own := errors.Join(d.NamesFault(), metadataFault(d.Distributions, d.ExecutionConfig))
	if own != nil {
		return parsedDefinition{fault: own}
	}
	var p parsedDefinition
	digest := sync.OnceValue(d.Digest)
	p.ways = appendWay(p.ways, d, "", d.Distributions, d.ExecutionConfig)
	for _, v := range d.Versions {
		if fault := metadataFault(v.Distributions, v.ExecutionConfig); fault != nil {
			p.unusable = append(p.unusable, unusableVersion(d.Ref, d.CapabilityName(), v.Version, fault))
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
		w.located, w.digest = located, digest
	}
	return p
}

// A label is the version that a way declares. It is empty for the definition's own way.
type label struct {
	text string
	// constraint matches the versions with this label; nil matches any.
	constraint *version.Constraint
}

func newLabel(text string) label {
	l := label{text: text}
	// A label need not be a version: lts.
	if _, err := version.Parse(text); err == nil {
		if c, err := version.ParseConstraint(text); err == nil {
			l.constraint = &c
		}
	}
	return l
}

// fits reports whether an installation of version v, printed as raw, has the declared
// version: 3.12.4 fits 3.12, and a printed 1.8.0_392 fits 1.8. An unknown version fits
// every label.
func (l label) fits(v version.Version, raw string) bool {
	if l.constraint == nil || v == (version.Version{}) || l.constraint.Match(v, true) {
		return true
	}
	for _, word := range strings.FieldsFunc(raw, func(c rune) bool { return strings.ContainsRune(` "'(),`, c) }) {
		rest, ok := strings.CutPrefix(word, l.text)
		if printed, err := version.Parse(word); ok && err == nil && printed == v {
			return rest == "" || rest[0] < '0' || rest[0] > '9'
		}
	}
	return false
}

// metadataFault returns the first fault of a verification, or nil.
func metadataFault(dist metadata.Distributions, exec metadata.ExecutionConfig) error {
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

// appendWay appends the way of dist if it has commands.
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
		inPath := commandOf(v, c)
		inPath.Interpreter = w.interpreter
		w.commands = append(w.commands, &command{
			Command:        c,
			inPath:         inPath,
			argv:           slices.Concat([]string{c.Binary}, c.Args),
			timeout:        c.TimeoutOrDefault(),
			pattern:        parsed(c.Pattern),
			versionPattern: parsed(c.VersionPattern),
		})
	}
	if f := v.VersionFile; f != nil {
		w.versionFile = &versionFile{path: f.Path, pattern: parsed(f.Pattern)}
	}
	// Validation has parsed both.
	w.min, _ = version.Parse(dist.MinVersion)
	w.recommended, _ = version.Parse(dist.RecommendedVersion)
	return append(ways, w)
}
