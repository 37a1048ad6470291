// Package service is what worker and sensor do with what they detected: they
// register it and, where they run, keep it true. Both are the same service with
// another role.
package service

import (
	"context"
	"fmt"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// Registrar writes the row of a worker; *store.Workers is one.
type Registrar interface {
	Register(ctx context.Context, r store.Registration) (*schema.Worker, []schema.CapabilityChange, error)
}

var _ Registrar = (*store.Workers)(nil)

// Identity is who registers.
type Identity struct {
	Name string
	Role metadata.Role
	// Type is where it runs. Empty: local.
	Type schema.WorkerType
	// Host and Port say how the platform reaches it. Empty: what the row has.
	Host string
	Port int
}

// Register writes what was detected into the row of an identity, which stays
// inactive: nobody runs under it yet. Errors are those of store.Workers.Register;
// store.ErrLive is one where a service runs under the identity, which keeps the
// row true by itself.
func Register(ctx context.Context, to Registrar, id Identity, caps *capability.Document) (*schema.Worker, error) {
	found, err := Found(caps, time.Now())
	if err != nil {
		return nil, fmt.Errorf("register %s %q: %w", id.Role, id.Name, err)
	}
	row, _, err := to.Register(ctx, id.registration(found))
	return row, err
}

// registration is what an identity says of itself.
func (id *Identity) registration(found *store.Capabilities) store.Registration {
	r := store.Registration{Name: id.Name, Role: id.Role, Type: id.Type, Capabilities: found}
	if id.Host != "" {
		r.Host = &id.Host
	}
	if id.Port != 0 {
		r.Port = &id.Port
	}
	return r
}
