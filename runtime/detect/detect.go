// Package detect finds which runtimes a host really has. One detector serves
// worker and sensor: it answers by environment, then by config, then by
// verifying every definition on the host. It knows no SQL.
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

// Detector finds which of a set of runtimes a host has. It may be used by
// several goroutines, and again and again.
type Detector struct {
	cfg   Config
	defs  []*definition // by ref; of two with one ref the first
	byRef map[string]*definition
	index *metadata.Index
	pace  pace
	// only are the definitions that Only named; nil: all.
	only []*definition

	// looks counts the definitions that share what may be looked at.
	looks   sync.Once
	sharing int

	mu sync.Mutex
	// slow is what definitions took in the last detection that kept others waiting.
	slow map[string]time.Duration
}

// New returns a detector of defs, which must not be changed afterwards. Its error
// wraps ErrConfig.
func New(defs []metadata.Definition, cfg Config) (*Detector, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &Detector{cfg: cfg, byRef: map[string]*definition{}, index: metadata.NewIndex(defs), pace: usual}
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

// Detect finds what the host has, by the first tier that answers. Its errors
// wrap ErrUnknownName (only where Config.Strict), or the cause for
// which ctx is done; what goes wrong with one runtime is an outcome of that
// runtime.
//
// It takes Config.Timeout at most. A ctx that is done for ErrEnough is no error:
// what is not finished then ends as Timeout.
func (d *Detector) Detect(ctx context.Context) (*capability.Document, error) {
	return d.DetectInParts(ctx, nil)
}

// DetectInParts is Detect that does not wait with everything for what hangs: while
// it is not over, tell gets what has been found so far, SoFar after the beginning
// and then as often where there is more. The runtimes of the refs in open are not
// finished; the document says Timeout of them. tell must not block.
func (d *Detector) DetectInParts(ctx context.Context, tell func(soFar *capability.Document, open []string)) (*capability.Document, error) {
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
	var parts func([]finding, []string)
	if tell != nil {
		parts = func(findings []finding, open []string) { tell(d.complete(*caps, findings), open) }
	}
	findings, err := r.verifyAll(ctx, defs, parts)
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

// complete puts findings into a copy of a document.
func (d *Detector) complete(caps capability.Document, findings []finding) *capability.Document {
	caps.Warnings, caps.Detected, caps.Undetected = slices.Clone(caps.Warnings), slices.Clone(caps.Detected), slices.Clone(caps.Undetected)
	caps.Warnings = append(caps.Warnings, amiss(d.cfg.Host)...)
	for _, f := range findings {
		addFinding(&caps, f, d.cfg.Explain)
	}
	caps.Arrange()
	return &caps
}

// ofRole are the definitions that the detector's role may use.
func (d *Detector) ofRole() []*definition {
	var out []*definition
	for _, def := range d.defs {
		if def.HasRole(d.cfg.Role) && d.wanted(def) {
			out = append(out, def)
		}
	}
	return out
}

// carry takes over what the config file has beside the list of runtimes.
func (d *Detector) carry(caps *capability.Document) {
	for _, key := range slices.Sorted(maps.Keys(d.cfg.Extra)) {
		if capability.IsKey(key) {
			caps.Warnings = append(caps.Warnings,
				fmt.Sprintf("capabilities.%s of the config file is left out: the document has a key of that name itself", key))
			continue
		}
		if caps.Extra == nil {
			caps.Extra = map[string]json.RawMessage{}
		}
		caps.Extra[key] = d.cfg.Extra[key]
	}
}

// log writes a line for each warning of the document.
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
