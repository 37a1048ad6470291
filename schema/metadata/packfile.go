package metadata

import "encoding/json"

// A PackFile is the file pack.yaml in the folder of a pack.
//
//attune:document
type PackFile struct {
	// Ref is the pack's unique name.
	Ref string `json:"ref" attune:"required,format=pack-ref"`
	// Label is the name for people. Defaults to ref.
	Label string `json:"label,omitempty"`
	// Version is the version of the pack.
	Version string `json:"version" attune:"required,bare,format=pack-version"`
	// Description describes the contents in a few words.
	Description string `json:"description,omitempty"`
	// ConfSchema is kept for the platform. So are all keys that follow.
	ConfSchema  json.RawMessage `json:"conf_schema,omitempty"`
	Config      json.RawMessage `json:"config,omitempty"`
	Meta        json.RawMessage `json:"meta,omitempty"`
	Tags        json.RawMessage `json:"tags,omitempty"`
	RuntimeDeps json.RawMessage `json:"runtime_deps,omitempty"`
	IsStandard  json.RawMessage `json:"is_standard,omitempty"`
	Unknown     Unknown         `json:"-"`
}
