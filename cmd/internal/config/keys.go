package config

import (
	"strconv"
	"strings"

	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/service"
)

// A Key is something that can be configured.
type Key struct {
	// Name is the name in the config file: worker.port. A name without a dot is only a
	// flag or variable.
	Name string
	// Variable and Flag set the key too. They are empty if nothing else sets it.
	Variable, Flag string
	// Default is the default in words or as a value.
	Default string
}

// Keys returns the keys that a program heeds: worker, sensor or attune. An empty
// program returns all keys, each once.
func Keys(program string) []Key {
	var list []Key
	for _, k := range keys {
		section, _, _ := strings.Cut(k.Name, ".")
		switch {
		case section == "worker":
			if program == "" || program == "worker" {
				list = append(list, k)
			}
		case program == "attune" && (section == "policy" || k.Name == "database.idle_timeout"):
		case (program == "worker" || program == "sensor") && k.Name == "lock_timeout":
		default:
			list = append(list, k)
		}
	}
	if program == "" || program == "sensor" {
		for _, k := range keys {
			if strings.HasPrefix(k.Name, "worker.") {
				k.Name = "sensor" + strings.TrimPrefix(k.Name, "worker")
				k.Variable = strings.Replace(k.Variable, "WORKER", "SENSOR", 1)
				list = append(list, k)
			}
		}
	}
	return list
}

// Default returns the default of a key of worker and attune.
func Default(name string) string {
	for _, k := range keys {
		if k.Name == name {
			return k.Default
		}
	}
	panic("config: no key " + name)
}

// keys holds the keys of worker and attune. A sensor has the keys of a worker.
var keys = []Key{
	{"config", "ATTUNE_CONFIG", "--config", "the first that exists"},
	{"strict", "ATTUNE_STRICT", "--strict", "false"},
	{"log_level", "ATTUNE_LOG_LEVEL", "--log-level", "warn; run: info"},
	{"lock_timeout", "ATTUNE_LOCK_TIMEOUT", "--lock-timeout", Span(migrations.DefaultLockTimeout)},
	{"database.url", "ATTUNE_DATABASE_URL", "--database", "an embedded file"},
	{"database.schema", "ATTUNE_SCHEMA", "--schema", "where the tables are"},
	{"database.idle_timeout", "ATTUNE_DATABASE_IDLE_TIMEOUT", "--idle-timeout", Span(service.DefaultIdleTimeout)},
	{"policy.mode", "ATTUNE_POLICY_MODE", "--policy-mode", "standard"},
	{"policy.allow", "ATTUNE_POLICY_ALLOW", "", "none"},
	{"policy.deny", "ATTUNE_POLICY_DENY", "", "none"},
	{"policy.env", "ATTUNE_POLICY_ENV", "", "none"},
	{"policy.trusted_packs", "ATTUNE_POLICY_TRUSTED_PACKS", "--pack", "none"},
	{"worker.name", "ATTUNE_WORKER_NAME", "--name", "the host's name"},
	{"worker.type", "ATTUNE_WORKER_TYPE", "--type", "local"},
	{"worker.host", "ATTUNE_WORKER_HOST", "--advertise", "what the row has"},
	{"worker.port", "ATTUNE_WORKER_PORT", "--port", "what the row has"},
	{"worker.labels", "ATTUNE_WORKER_LABELS", "--label", "none"},
	{"worker.taints", "ATTUNE_WORKER_TAINTS", "--taint", "none"},
	{"worker.max_concurrent_executions", "ATTUNE_WORKER_MAX_CONCURRENT_EXECUTIONS", "--max-concurrent-executions", "none"},
	{"worker.capabilities.runtimes", "ATTUNE_WORKER_RUNTIMES", "", "verify every definition"},
	{"worker.capabilities.*", "", "", "none"},
	{"worker.verify_declared", "", "", "false"},
	{"worker.heartbeat_interval", "ATTUNE_WORKER_HEARTBEAT_INTERVAL", "--heartbeat-interval", Span(service.DefaultHeartbeatInterval)},
	{"worker.verify_interval", "ATTUNE_WORKER_VERIFY_INTERVAL", "--verify-interval", Span(service.DefaultVerifyInterval)},
	{"worker.full_every", "ATTUNE_WORKER_FULL_EVERY", "--full-every", strconv.Itoa(service.DefaultFullEvery)},
	{"worker.unconfirmed_for", "ATTUNE_WORKER_UNCONFIRMED_FOR", "--unconfirmed-for", Span(service.DefaultUnconfirmedFor)},
	{"worker.keep_history", "ATTUNE_WORKER_KEEP_HISTORY", "--keep-history", Span(service.DefaultKeepHistory)},
	{"worker.max_age", "ATTUNE_WORKER_MAX_AGE", "--max-age", Span(detect.DefaultMaxAge)},
	{"worker.report_only", "ATTUNE_WORKER_REPORT_ONLY", "--report-only", "auto"},
	{"worker.listen", "ATTUNE_WORKER_LISTEN", "--listen", "none"},
}
