package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/schema/requirement"
)

// errBlank is for a text without any label or taint.
var errBlank = errors.New("must not be empty: is the variable unset?")

// ParseLabels reads labels as people write them in a flag or a variable: KEY=VALUE, separated by
// commas. A comma of a value has a backslash before it.
func ParseLabels(text string) (map[string]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("%w write KEY=VALUE, or leave it out", errBlank)
	}
	labels := map[string]string{}
	for _, pair := range kong.SplitEscaped(text, ',') {
		key, value, ok := strings.Cut(pair, "=")
		if key = strings.TrimSpace(key); !ok {
			return nil, fmt.Errorf(`must be KEY=VALUE, got %s; a comma of a value is written \,`, quote(pair))
		}
		if _, next, ok := strings.Cut(value, ";"); ok && strings.Contains(next, "=") { // as labels were separated before
			return nil, fmt.Errorf("must separate labels by commas, got %s", quote(pair))
		}
		if err := requirement.CheckLabel(key, value); err != nil {
			return nil, fmt.Errorf("%s: %w", quote(pair), err)
		}
		if _, twice := labels[key]; twice {
			return nil, fmt.Errorf("duplicate label %q", key)
		}
		labels[key] = value
	}
	return labels, requirement.CheckCount(len(labels))
}

// ParseTaints reads taints as people write them in a flag or a variable: KEY[=VALUE][:EFFECT],
// separated by commas. A comma of a value has a backslash before it.
func ParseTaints(text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("%w write KEY[=VALUE][:EFFECT], or leave it out", errBlank)
	}
	var taints []string
	for _, taint := range kong.SplitEscaped(text, ',') {
		taints = append(taints, strings.TrimSpace(taint))
	}
	return taints, CheckTaints(taints)
}

// CheckTaints returns an error if a worker cannot have these taints.
func CheckTaints(texts []string) error {
	_, err := taintsOf(texts)
	return err
}

// taintsOf reads taints, each as KEY[=VALUE][:EFFECT].
func taintsOf(texts []string) ([]requirement.Taint, error) {
	var taints []requirement.Taint
	seen := map[requirement.Taint]bool{}
	for _, text := range texts {
		taint, err := requirement.ParseTaint(text)
		if err != nil {
			return nil, err
		}
		key := requirement.Taint{Key: taint.Key, Effect: taint.Effect}
		if seen[key] {
			return nil, fmt.Errorf("duplicate taint %s:%s", quote(taint.Key), taint.Effect)
		}
		seen[key] = true
		taints = append(taints, taint)
	}
	return taints, requirement.CheckCount(len(taints))
}

// TaintsDocument returns taints as they stand in the capability document.
func TaintsDocument(texts []string) (json.RawMessage, error) {
	taints, err := taintsOf(texts)
	if err != nil {
		return nil, err
	}
	type document struct {
		Key    string             `json:"key"`
		Value  string             `json:"value,omitempty"`
		Effect requirement.Effect `json:"effect"`
	}
	list := make([]document, len(taints))
	for i, t := range taints {
		list[i] = document(t)
	}
	return json.Marshal(list)
}
