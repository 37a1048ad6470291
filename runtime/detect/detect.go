// Package detect finds the runtimes of a host. The first of three tiers decides: an
// environment variable, the config file, or the verification of every definition on
// the host.
//
// Commands take turns in turns.go, because a semaphore serves them in the order of arrival: commands
// that hang then starve others, and so does a definition with many commands. If its places are freed
// after a while instead, nothing bounds the running commands. The tests of turns fail with each.
package detect

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// A Detector finds the runtimes that a host has. It can be used repeatedly and by
// several goroutines. New returns one; its zero value cannot be used.
type Detector struct {
	cfg   Config
	defs  []*definition // sorted by ref; the first one of each ref
	byRef map[string]*definition
	index *metadata.Index
	pace  pace
	// only holds the definitions that Only selected; nil means all of them.
	only []*definition

	// untrusted counts the definitions that share roundLooks.
	countUntrusted sync.Once
	untrusted      int

	mu sync.Mutex
	// slow holds the time by ref that slow definitions took in the last detection.
	slow map[string]time.Duration
}

// New returns a detector of defs, which must not be changed afterwards. Its error
// wraps ErrConfig.
func New(defs []metadata.Definition, cfg Config) (*Detector, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &Detector{cfg: cfg, byRef: map[string]*definition{}, index: metadata.NewIndex(defs), pace: defaultPace}
	for i := range defs {
		if d.byRef[defs[i].Ref] == nil {
			def := &definition{Definition: &defs[i], name: defs[i].CapabilityName()}
			d.byRef[def.Ref] = def
			d.defs = append(d.defs, def)
		}
	}
	slices.SortFunc(d.defs, func(a, b *definition) int { return cmp.Compare(a.Ref, b.Ref) })
	return d, nil
}

// Detect returns the host's capability document. It takes Config.Timeout at most.
// Failures of one runtime are outcomes in the document. Errors wrap ErrUnknownName
// (under Config.Strict only), or the cause of ctx's end. If that cause is ErrSuperseded,
// there is no error and unfinished runtimes end as Timeout.
func (d *Detector) Detect(ctx context.Context) (*capability.Document, error) {
	return d.DetectInParts(ctx, nil)
}

// DetectInParts detects as Detect does, and reports intermediate results. It calls
// report every PartialInterval if more runtimes have finished. The runtimes of the
// refs in open are unfinished; the document has them as Timeout. report must not block.
func (d *Detector) DetectInParts(
	ctx context.Context, report func(partial *capability.Document, open []string),
) (*capability.Document, error) {
	r := d.newRound(false)
	caps := &capability.Document{
		Format: capability.Format, Source: d.cfg.Source, Host: documentHost(r.info), AttuneVersion: attune.Version,
		Warnings: slices.Clone(d.cfg.Warnings),
	}
	d.carry(caps)
	defs := d.ofRole()
	decl, declared := d.declaration()
	caps.Warnings = append(caps.Warnings, d.missing(declared)...)
	if declared {
		caps.Source = decl.source
		names, err := d.resolve(decl)
		if err != nil {
			return nil, err
		}
		names = d.narrow(names)
		if !d.cfg.VerifyDeclared {
			declare(caps, names)
			defs = nil
		} else {
			defs = restrict(caps, names)
		}
	}
	var partial func([]finding, []string)
	if report != nil {
		partial = func(findings []finding, open []string) { report(d.complete(*caps, findings), open) }
	}
	findings, err := r.verifyAll(ctx, defs, partial)
	d.mu.Lock()
	d.slow = r.turns.slow()
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	caps = d.complete(*caps, findings)
	d.log(ctx, caps)
	return caps, nil
}

// complete returns a copy of a document with findings added.
func (d *Detector) complete(caps capability.Document, findings []finding) *capability.Document {
	caps.Warnings, caps.Detected, caps.Undetected = slices.Clone(caps.Warnings), slices.Clone(caps.Detected), slices.Clone(caps.Undetected)
	caps.Warnings = append(caps.Warnings, hostWarnings(d.cfg.Host)...)
	for _, f := range findings {
		addFinding(&caps, f, d.cfg.Explain)
	}
	caps.Arrange()
	return &caps
}

// ofRole returns the definitions that allow the detector's role.
func (d *Detector) ofRole() []*definition {
	var out []*definition
	for _, def := range d.defs {
		if def.HasRole(d.cfg.Role) && d.selected(def) {
			out = append(out, def)
		}
	}
	return out
}

// carry copies Config.Extra into the document.
func (d *Detector) carry(caps *capability.Document) {
	for _, key := range slices.Sorted(maps.Keys(d.cfg.Extra)) {
		if capability.IsKey(key) {
			caps.Warnings = append(caps.Warnings,
				fmt.Sprintf("capabilities.%s of the config file is left out: the document uses this key itself", key))
			continue
		}
		if caps.Extra == nil {
			caps.Extra = map[string]json.RawMessage{}
		}
		caps.Extra[key] = d.cfg.Extra[key]
	}
}

// log logs each warning of the document.
func (d *Detector) log(ctx context.Context, caps *capability.Document) {
	for _, w := range caps.Warnings {
		d.cfg.Logger.WarnContext(ctx, w)
	}
	for _, in := range caps.Detected {
		for _, w := range in.Warnings {
			d.cfg.Logger.WarnContext(ctx, w, "ref", in.Ref, "runtime", in.Name)
		}
	}
}
