package requirement

import (
	"errors"
	"fmt"
	"strings"

	"github.com/attune-go/attune/schema/document"
)

// Limits of what a host says about itself. Databases keep no more.
const (
	// MaxPair is the greatest size of a label or a taint in bytes: key and value together, in which
	// a quote and a backslash count twice.
	MaxPair = 900
	// MaxPairs is the greatest number of labels, and of taints, of a host.
	MaxPairs = 1000
)

// CheckLabel returns an error if a host cannot have a label.
func CheckLabel(key, value string) error {
	return checkPair(validKey(key), key, value)
}

// Validate returns an error if the taint has a fault.
func (t Taint) Validate() error {
	if err := checkPair(validTaintKey(t.Key), t.Key, t.Value); err != nil {
		return err
	}
	if fault := validEffect(t.Effect); fault != "" {
		return fmt.Errorf("effect: %s", fault)
	}
	return nil
}

// checkPair returns the fault of the key, else of the value, else of the size.
func checkPair(keyFault, key, value string) error {
	if size := sizeOf(key) + sizeOf(value); size > MaxPair {
		return fmt.Errorf("must have at most %d bytes in key and value, got %d", MaxPair, size)
	}
	if keyFault != "" {
		return errors.New(keyFault)
	}
	if fault := displayable(value); fault != "" {
		return errors.New(fault)
	}
	return nil
}

// sizeOf returns the size of a text in a document.
func sizeOf(text string) int { return len(text) + strings.Count(text, `"`) + strings.Count(text, `\`) }

// CheckCount returns an error for more labels or taints than a host can have.
func CheckCount(n int) error {
	if fault := document.Most(n, MaxPairs); fault != "" {
		return errors.New(fault)
	}
	return nil
}
