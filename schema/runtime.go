package schema

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/metadata"
)

// A Runtime executes code. Its row holds the metadata by which a host verifies it. Ref is
// pack.name.
type Runtime struct {
	bun.BaseModel `bun:"table:runtime,alias:runtime"`

	ID              int64                    `bun:"id,pk,autoincrement"`
	Ref             string                   `bun:"ref,notnull,unique"`
	Pack            *int64                   `bun:"pack"`
	PackRef         *string                  `bun:"pack_ref"`
	Description     *string                  `bun:"description"`
	Name            string                   `bun:"name,notnull"`
	Aliases         metadata.Aliases         `bun:"aliases,type:jsonb,notnull,default:'[]'"`
	Distributions   metadata.Distributions   `bun:"distributions,type:jsonb,notnull,default:'{}'"`
	Installation    json.RawMessage          `bun:"installation,type:jsonb,nullzero"`
	ExecutionConfig metadata.ExecutionConfig `bun:"execution_config,type:jsonb,notnull,default:'{}'"`
	// Digest identifies the definition that a pack last loaded into this row; nil if no
	// pack did.
	Digest  *string   `bun:"digest"`
	Created time.Time `bun:"created,notnull,nullzero,default:current_timestamp"`
	Updated time.Time `bun:"updated,notnull,nullzero,default:current_timestamp"`
}

// A RuntimeVersion is a version that a pack declares for a runtime, with metadata of its
// own.
type RuntimeVersion struct {
	bun.BaseModel `bun:"table:runtime_version,alias:runtime_version"`

	ID      int64  `bun:"id,pk,autoincrement"`
	Runtime int64  `bun:"runtime,notnull,unique:runtime_version_runtime_version_key"`
	Version string `bun:"version,notnull,unique:runtime_version_runtime_version_key"`
	// SortKey is version.Version.Key of Version: its byte order is version
	// order.
	SortKey         string                   `bun:"sort_key,notnull"`
	IsDefault       bool                     `bun:"is_default,notnull"`
	Distributions   metadata.Distributions   `bun:"distributions,type:jsonb,notnull,default:'{}'"`
	ExecutionConfig metadata.ExecutionConfig `bun:"execution_config,type:jsonb,notnull,default:'{}'"`
	Meta            json.RawMessage          `bun:"meta,type:jsonb,notnull,nullzero,default:'{}'"`
	Created         time.Time                `bun:"created,notnull,nullzero,default:current_timestamp"`
	Updated         time.Time                `bun:"updated,notnull,nullzero,default:current_timestamp"`
}
