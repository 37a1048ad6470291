package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A definitionSet holds the definitions that are detected.
type definitionSet struct {
	detector Detector // nil until definitions have been read
	defs     []metadata.Definition
	warnings []string
	mark     string // empty if only reading the definitions shows whether they changed
	// state identifies the definitions in documents; nil if it is unknown, or if some were
	// left out.
	state *capability.Definitions
	sum   [sha256.Size]byte
	watch watch
}

// isCurrent reports whether a mark is the one of the known definitions.
func (k *definitionSet) isCurrent(mark string) bool { return mark != "" && mark == k.mark }

// readDefinitions makes a new detector if the definitions have changed. Definitions that the
// host cannot use leave the detector as it is.
func (v *verification) readDefinitions(ctx context.Context) error {
	var defs []metadata.Definition
	var leftOut store.Omission
	mark := ""
	var state *capability.Definitions
	ok, err := v.connection.ask(ctx, "read definitions", func(ctx context.Context) (err error) {
		if m, ok := v.connection.db.Definitions.(Marker); ok {
			// The mark comes first, so that a change while reading shows in the next round.
			if mark, err = m.DefinitionsMark(ctx); err != nil || v.definitions.isCurrent(mark) {
				return err
			}
		}
		if s, ok := v.connection.db.Definitions.(Stater); ok {
			found, err := s.DefinitionsState(ctx)
			if err != nil {
				return err
			}
			state = &found
		}
		defs, leftOut, err = v.connection.db.Definitions.BoundedDefinitions(ctx)
		return err
	})
	if err != nil || !ok || v.definitions.isCurrent(mark) {
		return err
	}
	var warnings []string
	if text := leftOut.String(); text != "" {
		warnings = append(warnings, text)
		state = nil
	} else if len(defs) == 0 {
		warnings = append(warnings, "the database has no runtimes, so nothing is detected; load a pack")
	}
	sum, err := sumOf(defs, warnings)
	if err != nil {
		return err
	}
	if v.definitions.detector != nil && sum == v.definitions.sum {
		v.definitions.mark, v.definitions.state = mark, state
		return nil
	}
	detector, err := v.cfg.Detector(defs, warnings)
	if err == nil && detector == nil {
		err = &ConfigError{"Detector", "must return a detector"}
	}
	if err != nil && v.definitions.detector == nil {
		return err
	}
	if err != nil {
		v.log.Error("changed definitions cannot be used; the former ones stay", "error", err)
		return nil
	}
	if v.definitions.detector != nil {
		v.log.Info("definitions changed; verifying in full", "definitions", len(defs))
		v.force = true
	}
	v.definitions = definitionSet{detector: detector, defs: defs, warnings: warnings, mark: mark, state: state, sum: sum, watch: watchOf(defs)}
	return nil
}

// sumOf returns a checksum of definitions and warnings. It includes malformed definitions.
func sumOf(defs []metadata.Definition, warnings []string) ([sha256.Size]byte, error) {
	text, err := json.Marshal(struct {
		Definitions []metadata.Definition
		Warnings    []string
	}{defs, warnings})
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("compare definitions: %w", err)
	}
	return sha256.Sum256(text), nil
}
