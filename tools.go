// Package attune is the root of the attune toolkit: it holds the release's
// version, says what is generated, and runs nothing.
//
// The tools of go.mod:
//
//   - github.com/attune-go/attune/cmd/attune-gen writes what follows from the
//     annotated types of schema/metadata, and runtime/core from the core pack. The
//     first is done by a program that is built without any of that, so go generate
//     ./... brings back what was deleted.
package attune

//go:generate go run -tags=bootstrap ./cmd/attune-gen metadata ./schema/metadata --json-schema=Definition=docs/runtime.schema.json --json-schema=PackFile=docs/pack.schema.json --page=docs/metadata.md "--title=Metadata of a runtime" --guards=migrations/internal/guards "--hint=attune packs validate reports every fault of a definition"
//go:generate go run -tags=bootstrap ./cmd/attune-gen metadata ./migrations/internal/guards/requirement --no-go --guards=migrations/internal/guards/requirement "--hint=attune place --all reports every fault of a requirement"
//go:generate go tool attune-gen detector runtime/packs/core --out runtime/core

// Version is the release this source tree becomes.
const Version = "0.1.0"
