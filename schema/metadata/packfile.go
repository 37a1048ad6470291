package metadata

import "encoding/json"

// PackFile is the file pack.yaml of a pack's folder.
//
//attune:document
type PackFile struct {
	// Ref is the pack's name in the whole installation.
	Ref string `json:"ref" attune:"required,format=pack-ref"`
	// Label is what people read; left out, the ref.
	Label string `json:"label,omitempty"`
	// Version is the pack's own.
	Version string `json:"version" attune:"required,bare,format=pack-version"`
	// Description says in a few words what it brings.
	Description string `json:"description,omitempty"`
	// ConfSchema is kept for the platform, as are all that follow.
	ConfSchema  json.RawMessage `json:"conf_schema,omitempty"`
	Config      json.RawMessage `json:"config,omitempty"`
	Meta        json.RawMessage `json:"meta,omitempty"`
	Tags        json.RawMessage `json:"tags,omitempty"`
	RuntimeDeps json.RawMessage `json:"runtime_deps,omitempty"`
	IsStandard  json.RawMessage `json:"is_standard,omitempty"`
	Unknown     Unknown         `json:"-"`
}
