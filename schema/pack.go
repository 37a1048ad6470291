package schema

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"
)

// A Pack is a folder of definitions under one ref.
type Pack struct {
	bun.BaseModel `bun:"table:pack,alias:pack"`

	ID          int64           `bun:"id,pk,autoincrement"`
	Ref         string          `bun:"ref,notnull,unique"`
	Label       string          `bun:"label,notnull"`
	Description *string         `bun:"description"`
	Version     string          `bun:"version,notnull"`
	ConfSchema  json.RawMessage `bun:"conf_schema,type:jsonb,notnull,nullzero,default:'{}'"`
	Config      json.RawMessage `bun:"config,type:jsonb,notnull,nullzero,default:'{}'"`
	Meta        json.RawMessage `bun:"meta,type:jsonb,notnull,nullzero,default:'{}'"`
	Tags        []string        `bun:"tags,array,notnull,nullzero,default:'{}'"`
	RuntimeDeps []string        `bun:"runtime_deps,array,notnull,nullzero,default:'{}'"`
	IsStandard  bool            `bun:"is_standard,notnull"`
	Created     time.Time       `bun:"created,notnull,nullzero,default:current_timestamp"`
	Updated     time.Time       `bun:"updated,notnull,nullzero,default:current_timestamp"`
}
