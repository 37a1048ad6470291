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

// A Registrar writes the row of a worker; *store.Workers is one.
type Registrar interface {
	Register(ctx context.Context, r store.Registration) (*schema.Worker, []schema.CapabilityChange, error)
}

var _ Registrar = (*store.Workers)(nil)

// An Identity describes the worker or sensor to register. Name and Role are required.
type Identity struct {
	Name string
	// GuestName is the name in a guest, a database that a platform owns. Defaults to Name.
	GuestName string
	Role      metadata.Role
	// Type is where it runs. Defaults to local.
	Type schema.WorkerType
	// Host and Port are the address by which the platform reaches it. Zero values keep those
	// of the row.
	Host string
	Port int
}

// Resolve returns the identity with the name that it has in a guest, or elsewhere.
func (id Identity) Resolve(guest bool) Identity {
	if guest && id.GuestName != "" {
		id.Name = id.GuestName
	}
	return id
}

// Register writes the capabilities to the row of an identity, under its Name. The row stays inactive,
// because no service runs under it. Errors are those of store.Workers.Register;
// store.ErrLive means that a service runs under the identity and keeps the row true itself.
func Register(ctx context.Context, to Registrar, id Identity, caps *capability.Document) (*schema.Worker, error) {
	found, err := CapabilitiesOf(caps, time.Now())
	if err != nil {
		return nil, fmt.Errorf("register %s %q: %w", id.Role, id.Name, err)
	}
	row, _, err := to.Register(ctx, id.registration(found))
	return row, err
}

// registration returns the registration of an identity.
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
