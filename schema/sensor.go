package schema

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"
)

// A Sensor watches for triggers; a sensor host runs it.
type Sensor struct {
	bun.BaseModel `bun:"table:sensor,alias:sensor"`

	ID                       int64   `bun:"id,pk,autoincrement"`
	Ref                      string  `bun:"ref,notnull,unique"`
	Pack                     *int64  `bun:"pack"`
	PackRef                  *string `bun:"pack_ref"`
	Label                    string  `bun:"label,notnull"`
	Description              *string `bun:"description"`
	Entrypoint               string  `bun:"entrypoint,notnull"`
	Runtime                  int64   `bun:"runtime,notnull"`
	RuntimeRef               string  `bun:"runtime_ref,notnull"`
	RuntimeVersionConstraint *string `bun:"runtime_version_constraint"`
	// RequiredWorkerRuntimes, WorkerSelector, WorkerTolerations and WorkerAffinity are parts of
	// the requirement; requirement.Columns reads them.
	RequiredWorkerRuntimes json.RawMessage `bun:"required_worker_runtimes,type:jsonb,notnull,nullzero,default:'{}'"`
	WorkerSelector         json.RawMessage `bun:"worker_selector,type:jsonb,notnull,nullzero,default:'{}'"`
	WorkerTolerations      json.RawMessage `bun:"worker_tolerations,type:jsonb,notnull,nullzero,default:'[]'"`
	WorkerAffinity         json.RawMessage `bun:"worker_affinity,type:jsonb,notnull,nullzero,default:'{}'"`
	Enabled                bool            `bun:"enabled,notnull"`
	ParamSchema            json.RawMessage `bun:"param_schema,type:jsonb,nullzero"`
	Config                 json.RawMessage `bun:"config,type:jsonb,nullzero"`
	Created                time.Time       `bun:"created,notnull,nullzero,default:current_timestamp"`
	Updated                time.Time       `bun:"updated,notnull,nullzero,default:current_timestamp"`
}
