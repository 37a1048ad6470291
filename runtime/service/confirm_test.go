package service_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/capability"
)

// TestConfirm decides on one installation by what became of its own probe.
func TestConfirm(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, other, shim, gone := filepath.Join(dir, "kit"), filepath.Join(dir, "other"), filepath.Join(dir, "shims", "kit"), filepath.Join(dir, "gone")
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	earlier := func(path string) capability.Installation {
		return capability.Installation{Ref: "t.kit", Name: "kit", Version: "1.2.4", VersionRaw: "1.2.4", Path: path, RealPath: path, Outcome: capability.Available, Source: capability.Verified}
	}
	by := func(d capability.Installation, change func(*capability.Installation)) capability.Installation {
		change(&d)
		return d
	}
	failed := func(path string, o capability.Outcome) capability.Failure {
		return capability.Failure{Ref: "t.kit", Name: "kit", Path: path, RealPath: path, Outcome: o, Attempts: []capability.Attempt{{Outcome: o}}}
	}
	skipped := func(path string) capability.Failure {
		f := failed(path, capability.Timeout)
		f.Unreached = true
		return f
	}
	unreached := func(all []capability.Absence) []capability.Absence {
		all[0].Unreached = true
		return all
	}
	declared := func(version string, o capability.Outcome) capability.Failure {
		return capability.Failure{Ref: "t.kit", Name: "kit", Declared: version, Outcome: o}
	}
	undetected := func(o capability.Outcome) []capability.Absence {
		return []capability.Absence{{Ref: "t.kit", Name: "kit", Outcome: o}}
	}
	for name, test := range map[string]struct {
		earlier    capability.Installation
		failed     []capability.Failure
		undetected []capability.Absence // nil: another installation is there
		kept       bool
		// excused: it is kept as confirmed.
		excused  bool
		attempts int
	}{
		"timeout":                       {earlier: earlier(path), failed: []capability.Failure{failed(path, capability.Timeout)}, kept: true, attempts: 1},
		"timeout, and nothing else":     {earlier: earlier(path), failed: []capability.Failure{failed(path, capability.Timeout)}, undetected: undetected(capability.Timeout), kept: true, attempts: 1},
		"timeout of another":            {earlier: earlier(path), failed: []capability.Failure{failed(other, capability.Timeout)}},
		"failed, another's timeout":     {earlier: earlier(path), failed: []capability.Failure{failed(other, capability.Timeout), failed(path, capability.ExitMismatch)}, undetected: undetected(capability.Timeout)},
		"failed":                        {earlier: earlier(path), failed: []capability.Failure{failed(path, capability.ExitMismatch)}},
		"denied":                        {earlier: earlier(path), failed: []capability.Failure{failed(path, capability.DeniedByPolicy)}},
		"not looked for any more":       {earlier: earlier(path)},
		"timeout, and then it was gone": {earlier: earlier(gone), failed: []capability.Failure{failed(gone, capability.Timeout)}},
		"timeout by its real path":      {earlier: by(earlier(path), func(d *capability.Installation) { d.RealPath = other }), failed: []capability.Failure{failed(other, capability.Error)}, kept: true, attempts: 1},
		"timeout of its shim":           {earlier: by(earlier(path), func(d *capability.Installation) { d.Shim = shim }), failed: []capability.Failure{failed(shim, capability.Timeout)}, kept: true, attempts: 1},
		"rubbish for its version":       {earlier: earlier(path), failed: []capability.Failure{declared("1.2", capability.InvalidMetadata)}, kept: true},
		"rubbish for any version":       {earlier: earlier(path), failed: []capability.Failure{declared("lts", capability.InvalidMetadata)}, kept: true},
		"rubbish for another version":   {earlier: earlier(path), failed: []capability.Failure{declared("1.3", capability.InvalidMetadata)}},
		"rubbish, and it is gone":       {earlier: earlier(gone), failed: []capability.Failure{declared("1.2", capability.InvalidMetadata)}},
		"the definition is rubbish":     {earlier: earlier(path), undetected: undetected(capability.InvalidMetadata), kept: true},
		"rubbish, and the file is gone": {earlier: earlier(gone), undetected: undetected(capability.InvalidMetadata)},
		"out of time":                   {earlier: earlier(path), undetected: undetected(capability.Timeout), kept: true},
		"not there":                     {earlier: earlier(path), undetected: undetected(capability.NotFound)},
		"declared, and out of time":     {earlier: capability.Installation{Ref: "t.kit", Name: "kit", Source: capability.Declared}, undetected: undetected(capability.Timeout), kept: true},
		"declared, and others found":    {earlier: capability.Installation{Ref: "t.kit", Name: "kit", Source: capability.Declared}, failed: []capability.Failure{failed(path, capability.Timeout)}},
		"not reached":                   {earlier: earlier(path), undetected: unreached(undetected(capability.Timeout)), kept: true, excused: true},
		"not reached, and it is gone":   {earlier: earlier(gone), undetected: unreached(undetected(capability.Timeout))},
		"not reached, and others are":   {earlier: earlier(path), failed: []capability.Failure{skipped(path)}, kept: true, excused: true, attempts: 1},
		"not reached, and timeout":      {earlier: earlier(path), failed: []capability.Failure{skipped(path), failed(path, capability.Timeout)}, kept: true, attempts: 2},
		"timeout, and not reached":      {earlier: earlier(path), failed: []capability.Failure{failed(path, capability.Timeout), skipped(path)}, kept: true, attempts: 2},
		"not reached, and failed":       {earlier: earlier(path), failed: []capability.Failure{skipped(path), failed(path, capability.ExitMismatch)}, kept: true, excused: true, attempts: 1},
		"not reached for too long": {earlier: by(earlier(path), func(d *capability.Installation) { d.UnconfirmedSince = now.Add(-time.Hour) }),
			failed: []capability.Failure{skipped(path)}, kept: true, excused: true, attempts: 1},
		"kept for too long": {earlier: by(earlier(path), func(d *capability.Installation) { d.UnconfirmedSince = now.Add(-time.Hour) }),
			failed: []capability.Failure{failed(path, capability.Timeout)}},
	} {
		t.Run(name, func(t *testing.T) {
			found := &capability.Document{Failed: test.failed, Undetected: test.undetected}
			if test.undetected == nil {
				found.Detected = []capability.Installation{{Ref: "t.kit", Name: "kit", Version: "1.0.0", Path: filepath.Join(dir, "first"), Outcome: capability.Available, Source: capability.Verified}}
			}
			want := len(found.Detected)
			got := service.Confirm(&capability.Document{Detected: []capability.Installation{test.earlier}}, found, now, time.Hour)
			if !test.kept {
				if diff := cmp.Diff(found, got); diff != "" {
					t.Errorf("it is kept (-found +got):\n%s", diff)
				}
				return
			}
			if len(got.Detected) != want+1 {
				t.Fatalf("it is lost: %+v", got.Detected)
			}
			since := now
			if test.excused {
				since = test.earlier.UnconfirmedSince
			}
			for _, d := range got.Detected {
				if d.Version == test.earlier.Version && (!d.UnconfirmedSince.Equal(since) || len(d.Attempts) != test.attempts) {
					t.Errorf("unconfirmed since %v with %d attempts, want %v and %d", d.UnconfirmedSince, len(d.Attempts), since, test.attempts)
				}
			}
		})
	}
}
