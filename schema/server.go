package schema

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"
)

// A Token is a token of the HTTP API, without what the client keeps secret.
type Token struct {
	bun.BaseModel `bun:"table:attune_token,alias:attune_token"`

	ID   int64  `bun:"id,pk,autoincrement"`
	Name string `bun:"name,notnull"`
	// Secret is the SHA-256 of the client's secret, in hexadecimal.
	Secret string `bun:"secret,notnull"`
	// Scope is read or operate.
	Scope string `bun:"scope,notnull"`
	// Expires is nil for a token without an end.
	Expires *time.Time `bun:"expires"`
	// Revoked is nil unless the token was revoked.
	Revoked *time.Time `bun:"revoked"`
	// LastUsed is nil until the first use. It may be a minute late.
	LastUsed *time.Time `bun:"last_used"`
	Created  time.Time  `bun:"created,notnull,nullzero,default:current_timestamp"`
}

// A Session is a session of the page.
type Session struct {
	bun.BaseModel `bun:"table:attune_session,alias:attune_session"`

	ID int64 `bun:"id,pk,autoincrement"`
	// Secret is the SHA-256 of the cookie, in hexadecimal.
	Secret  string    `bun:"secret,notnull,unique"`
	Token   int64     `bun:"token,notnull"`
	Expires time.Time `bun:"expires,notnull"`
	Created time.Time `bun:"created,notnull,nullzero,default:current_timestamp"`
}

// An Audit is a change that the HTTP API made for a principal.
type Audit struct {
	bun.BaseModel `bun:"table:attune_audit,alias:attune_audit"`

	ID        int64  `bun:"id,pk,autoincrement"`
	Principal string `bun:"principal,notnull"`
	// Operation is the operation's ID in the specification, such as refreshWorker.
	Operation string `bun:"operation,notnull"`
	// Subject is what was changed, such as "worker 12 build-7".
	Subject string          `bun:"subject,notnull"`
	Detail  json.RawMessage `bun:"detail,type:jsonb,nullzero"`
	Created time.Time       `bun:"created,notnull,nullzero,default:current_timestamp"`
}
