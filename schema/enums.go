package schema

// A WorkerType is where a worker runs. In Postgres it is worker_type_enum.
type WorkerType string

// The worker types.
const (
	WorkerLocal     WorkerType = "local"
	WorkerRemote    WorkerType = "remote"
	WorkerContainer WorkerType = "container"
)

// A WorkerStatus is the state of a worker. In Postgres it is worker_status_enum.
type WorkerStatus string

// The worker statuses.
const (
	WorkerActive   WorkerStatus = "active"
	WorkerInactive WorkerStatus = "inactive"
	WorkerBusy     WorkerStatus = "busy"
	WorkerError    WorkerStatus = "error"
)

// A WorkerRole is the role of a worker row. In Postgres it is worker_role_enum.
// metadata.Worker is stored as RoleAction; a hybrid row is both.
type WorkerRole string

// The worker roles.
const (
	RoleAction WorkerRole = "action"
	RoleSensor WorkerRole = "sensor"
	RoleHybrid WorkerRole = "hybrid"
)
