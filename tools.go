// Package attune is the root of the attune toolkit: it holds the release's
// version and nothing that runs.
package attune

// Version is the release this source tree becomes.
const Version = "0.1.0"
