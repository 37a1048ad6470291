package answer

import (
	"encoding/json"
	"slices"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A Report is what a worker last reported.
type Report struct {
	// Document is nil if the worker never reported.
	Document *capability.Document `json:"document"`
	// Foreign reports whether a platform's worker declares it, which attune does not verify.
	Foreign bool `json:"foreign"`
	// Labels is empty if the labels are not an object of texts.
	Labels map[string]string `json:"labels"`
	// Taints are those of the host. Entries of another form are left out.
	Taints []Taint `json:"taints"`
	// MaxConcurrent is the most executions at a time, as the worker wrote it.
	MaxConcurrent json.RawMessage `json:"max_concurrent_executions,omitempty"`
	// Unconfirmed lists the installations that could not be determined since.
	Unconfirmed []capability.Installation `json:"unconfirmed"`
	// Discounted lists the executables that do not count, of runtimes that the worker has.
	Discounted []capability.Failure `json:"discounted"`
}

// ReportOf reads the report of a worker. Index resolves the names that a platform's workers
// declare; nil knows none.
func ReportOf(w *store.WorkerSnapshot, index *metadata.Index) (*Report, error) {
	caps, err := Document(&w.Worker, index)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Document: caps, Labels: map[string]string{}, Taints: []Taint{},
		Unconfirmed: []capability.Installation{}, Discounted: []capability.Failure{},
	}
	if caps == nil {
		return r, nil
	}
	r.Foreign, r.MaxConcurrent = IsForeign(&w.Worker), caps.Extra["max_concurrent_executions"]
	if labels := map[string]string(nil); json.Unmarshal(caps.Extra["labels"], &labels) == nil && labels != nil {
		r.Labels = labels
	}
	var all []json.RawMessage
	_ = json.Unmarshal(caps.Extra["taints"], &all) // anything but a list has none
	for _, text := range all {
		var t Taint
		if json.Unmarshal(text, &t) == nil && t.Key != "" && t.Effect != "" {
			r.Taints = append(r.Taints, t)
		}
	}
	for _, d := range caps.Detected {
		if !d.UnconfirmedSince.IsZero() {
			r.Unconfirmed = append(r.Unconfirmed, d)
		}
	}
	for _, f := range caps.Failed {
		kept := slices.ContainsFunc(caps.Detected, func(d capability.Installation) bool { return d.Path != "" && d.Path == f.Path })
		if slices.Contains(caps.Runtimes, f.Name) && !kept {
			r.Discounted = append(r.Discounted, f)
		}
	}
	return r, nil
}
