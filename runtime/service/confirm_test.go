package service_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/service"
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
	was := func(path string) detect.Detection {
		return detect.Detection{Ref: "t.kit", Name: "kit", Version: "1.2.4", VersionRaw: "1.2.4", Path: path, RealPath: path, Outcome: detect.Available, Source: detect.Verified}
	}
	by := func(d detect.Detection, change func(*detect.Detection)) detect.Detection { change(&d); return d }
	failed := func(path string, o detect.Outcome) detect.Failure {
		return detect.Failure{Ref: "t.kit", Name: "kit", Path: path, RealPath: path, Outcome: o, Attempts: []detect.Attempt{{Outcome: o}}}
	}
	skipped := func(path string) detect.Failure {
		f := failed(path, detect.Timeout)
		f.Unreached = true
		return f
	}
	unreached := func(all []detect.Absence) []detect.Absence {
		all[0].Unreached = true
		return all
	}
	declared := func(version string, o detect.Outcome) detect.Failure {
		return detect.Failure{Ref: "t.kit", Name: "kit", Declared: version, Outcome: o}
	}
	undetected := func(o detect.Outcome) []detect.Absence {
		return []detect.Absence{{Ref: "t.kit", Name: "kit", Outcome: o}}
	}
	for name, test := range map[string]struct {
		was        detect.Detection
		failed     []detect.Failure
		undetected []detect.Absence // nil: another installation is there
		kept       bool
		// excused: it is kept as confirmed.
		excused  bool
		attempts int
	}{
		"timeout":                       {was: was(path), failed: []detect.Failure{failed(path, detect.Timeout)}, kept: true, attempts: 1},
		"timeout, and nothing else":     {was: was(path), failed: []detect.Failure{failed(path, detect.Timeout)}, undetected: undetected(detect.Timeout), kept: true, attempts: 1},
		"timeout of another":            {was: was(path), failed: []detect.Failure{failed(other, detect.Timeout)}},
		"failed, another's timeout":     {was: was(path), failed: []detect.Failure{failed(other, detect.Timeout), failed(path, detect.ExitMismatch)}, undetected: undetected(detect.Timeout)},
		"failed":                        {was: was(path), failed: []detect.Failure{failed(path, detect.ExitMismatch)}},
		"denied":                        {was: was(path), failed: []detect.Failure{failed(path, detect.DeniedByPolicy)}},
		"not looked for any more":       {was: was(path)},
		"timeout, and then it was gone": {was: was(gone), failed: []detect.Failure{failed(gone, detect.Timeout)}},
		"timeout by its real path":      {was: by(was(path), func(d *detect.Detection) { d.RealPath = other }), failed: []detect.Failure{failed(other, detect.Error)}, kept: true, attempts: 1},
		"timeout of its shim":           {was: by(was(path), func(d *detect.Detection) { d.Shim = shim }), failed: []detect.Failure{failed(shim, detect.Timeout)}, kept: true, attempts: 1},
		"rubbish for its version":       {was: was(path), failed: []detect.Failure{declared("1.2", detect.InvalidMetadata)}, kept: true},
		"rubbish for any version":       {was: was(path), failed: []detect.Failure{declared("lts", detect.InvalidMetadata)}, kept: true},
		"rubbish for another version":   {was: was(path), failed: []detect.Failure{declared("1.3", detect.InvalidMetadata)}},
		"rubbish, and it is gone":       {was: was(gone), failed: []detect.Failure{declared("1.2", detect.InvalidMetadata)}},
		"the definition is rubbish":     {was: was(path), undetected: undetected(detect.InvalidMetadata), kept: true},
		"rubbish, and the file is gone": {was: was(gone), undetected: undetected(detect.InvalidMetadata)},
		"out of time":                   {was: was(path), undetected: undetected(detect.Timeout), kept: true},
		"not there":                     {was: was(path), undetected: undetected(detect.NotFound)},
		"declared, and out of time":     {was: detect.Detection{Ref: "t.kit", Name: "kit", Source: detect.Declared}, undetected: undetected(detect.Timeout), kept: true},
		"declared, and others found":    {was: detect.Detection{Ref: "t.kit", Name: "kit", Source: detect.Declared}, failed: []detect.Failure{failed(path, detect.Timeout)}},
		"not reached":                   {was: was(path), undetected: unreached(undetected(detect.Timeout)), kept: true, excused: true},
		"not reached, and it is gone":   {was: was(gone), undetected: unreached(undetected(detect.Timeout))},
		"not reached, and others are":   {was: was(path), failed: []detect.Failure{skipped(path)}, kept: true, excused: true, attempts: 1},
		"not reached, and timeout":      {was: was(path), failed: []detect.Failure{skipped(path), failed(path, detect.Timeout)}, kept: true, attempts: 2},
		"timeout, and not reached":      {was: was(path), failed: []detect.Failure{failed(path, detect.Timeout), skipped(path)}, kept: true, attempts: 2},
		"not reached, and failed":       {was: was(path), failed: []detect.Failure{skipped(path), failed(path, detect.ExitMismatch)}, kept: true, excused: true, attempts: 1},
		"not reached for too long": {was: by(was(path), func(d *detect.Detection) { d.UnconfirmedSince = now.Add(-time.Hour) }),
			failed: []detect.Failure{skipped(path)}, kept: true, excused: true, attempts: 1},
		"kept for too long": {was: by(was(path), func(d *detect.Detection) { d.UnconfirmedSince = now.Add(-time.Hour) }),
			failed: []detect.Failure{failed(path, detect.Timeout)}},
	} {
		t.Run(name, func(t *testing.T) {
			found := &detect.Capabilities{Failed: test.failed, Undetected: test.undetected}
			if test.undetected == nil {
				found.Detected = []detect.Detection{{Ref: "t.kit", Name: "kit", Version: "1.0.0", Path: filepath.Join(dir, "first"), Outcome: detect.Available, Source: detect.Verified}}
			}
			want := len(found.Detected)
			got := service.Confirm(&detect.Capabilities{Detected: []detect.Detection{test.was}}, found, now, time.Hour)
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
				since = test.was.UnconfirmedSince
			}
			for _, d := range got.Detected {
				if d.Version == test.was.Version && (!d.UnconfirmedSince.Equal(since) || len(d.Attempts) != test.attempts) {
					t.Errorf("unconfirmed since %v with %d attempts, want %v and %d", d.UnconfirmedSince, len(d.Attempts), since, test.attempts)
				}
			}
		})
	}
}
