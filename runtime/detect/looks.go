package detect

import (
	"errors"
	"fmt"
	"slices"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// roundLooks bounds the folder entries and paths that a round looks at for untrusted
// definitions.
const roundLooks = 200_000

// strangersAtOnce is the number of untrusted definitions that look at the host at once. It is
// half of the number of long looks that a host makes.
const strangersAtOnce = 2

// look waits until a definition may look at the host, and returns a function that it calls
// afterwards. Trusted packs do not wait.
func (r *round) look(trusted bool) (done func()) {
	if trusted {
		return func() {}
	}
	select {
	case r.strangers <- struct{}{}:
		return func() { <-r.strangers }
	case <-r.over:
		return func() {}
	}
}

// isTrusted reports whether trusted packs have all commands of a way.
func (r *round) isTrusted(w *way) bool {
	return !slices.ContainsFunc(w.commands, func(c *command) bool { return !r.cfg.Policy.Trusts(c.inPath) })
}

// LooksEach returns the number of looks in a round for each of n definitions with
// locations.
func LooksEach(n int) int { return min(host.LocateLimit, roundLooks/max(n, 1)) }

// looksOf returns the number of looks for a way. The ways of a definition share its
// looks. Untrusted definitions share roundLooks, so rows of a database take nothing from
// trusted packs.
func (d *Detector) looksOf(w *way) int {
	d.countUntrusted.Do(func() {
		for _, def := range d.defs {
			if p := def.prepare(); slices.ContainsFunc(p.ways, func(w *way) bool { return !d.trusts(w) }) {
				d.untrusted++
			}
		}
	})
	if d.trusts(w) {
		return host.LocateLimit / max(1, w.located)
	}
	return LooksEach(d.untrusted) / max(1, w.located)
}

// trusts reports whether a trusted pack has all locations of a way.
func (d *Detector) trusts(w *way) bool {
	w.checkTrust.Do(func() {
		policy := d.cfg.Policy
		w.trusted = !slices.ContainsFunc(w.commands, func(c *command) bool {
			return slices.ContainsFunc(w.locations, func(location string) bool {
				return !policy.Trusts(c.at(lookup{location: location}))
			})
		})
	})
	return w.trusted
}

// hostWarnings returns warnings about places of a host that do not respond, and about
// variables that commands do not get.
func hostWarnings(h Host) (warnings []string) {
	if h, is := h.(interface{ Withheld() []string }); is {
		warnings = h.Withheld()
	}
	if h, is := h.(interface{ Hanging() []host.Hang }); is {
		for _, hang := range h.Hanging() {
			warnings = append(warnings, hang.Error()+"; it is left out until it does")
		}
	}
	return warnings
}

// addUnseen adds the places that could not be looked at. An absent runtime becomes
// undetermined.
func (f *finding) addUnseen(d *definition, unseen []host.UnseenPattern) {
	if len(unseen) == 0 {
		return
	}
	first := unseen[0]
	if i := slices.IndexFunc(unseen, func(u host.UnseenPattern) bool { return errors.Is(u.Err, host.ErrLimit) }); i >= 0 {
		first = unseen[i]
	}
	outcome, hint := unseenOutcome(first.Err)
	detail := fmt.Sprintf("location %s was not followed to its end", first.Pattern)
	if n := len(unseen) - 1; n > 0 {
		detail = fmt.Sprintf("location %s and %d more were not followed to their ends", first.Pattern, n)
	}
	detail += ": " + first.Err.Error()
	limited := errors.Is(first.Err, host.ErrLimit)
	if limited { // the document has its own warning about places that hang
		f.warnings = append(f.warnings, fmt.Sprintf("%s: %s; %s", d.Ref, detail, hint))
	}
	switch a := f.absence; {
	case a == nil && limited:
		f.failed = append(f.failed, capability.Failure{Ref: d.Ref, Name: d.name, Outcome: outcome, Detail: detail, Hint: hint})
	case a != nil && !a.Outcome.CouldNotTell():
		a.Outcome, a.Detail, a.Hint = outcome, detail, hint
	}
}

// unseenOutcome returns the outcome of a place that could not be looked at, and a hint.
func unseenOutcome(err error) (capability.Outcome, string) {
	switch {
	case errors.Is(err, host.ErrHangs):
		return capability.Timeout, "mount it again or unmount it, or take it out of PATH and locations"
	case errors.Is(err, host.ErrLimit):
		return capability.Error, "name fewer folders"
	}
	return capability.Error, "repair it, or take it out of PATH and locations"
}

// unseenProgram returns why the interpreter of an executable could not be looked at, or
// nil.
func (r *round) unseenProgram(exe host.Candidate) error {
	for _, by := range r.cfg.Host.Program(exe.Path).By {
		if err := by.Unseen(); err != nil {
			return err
		}
	}
	return nil
}
