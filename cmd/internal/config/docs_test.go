package config_test

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/config"
)

// TestDocsListEveryKey of the config file, and none that does not exist. Those of
// sensors are those of workers.
func TestDocsListEveryKey(t *testing.T) {
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+[.][a-z_.*]+)` \\|").FindAllSubmatch(text, -1) {
		documented[string(m[1])] = true
	}
	keys := map[string]bool{"worker.capabilities.runtimes": true, "worker.capabilities.*": true}
	file := reflect.TypeFor[config.File]()
	for i := range file.NumField() {
		section := file.Field(i)
		name := section.Tag.Get("config")
		if name == "-" || name == "sensor" {
			continue
		}
		for key := range section.Type.Fields() {
			if full := name + "." + key.Tag.Get("config"); full != "worker.capabilities" {
				keys[full] = true
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(keys)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Errorf("docs/configuration.md (-keys of the program +documented):\n%s", diff)
	}
}

// TestDocsAgreeWithKeys: each row of docs/configuration.md has the key's variable,
// flag and default.
func TestDocsAgreeWithKeys(t *testing.T) {
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+[.][a-z_.*]+)` \\|([^|]*)\\|([^|]*)\\|([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2:]
	}
	for _, k := range config.Keys("worker") {
		if !strings.Contains(k.Name, ".") {
			continue
		}
		var is []string
		for _, cell := range rows[k.Name] {
			is = append(is, strings.ReplaceAll(strings.TrimSpace(cell), "`", ""))
		}
		if diff := cmp.Diff([]string{k.Variable, k.Flag, k.Default}, is); diff != "" {
			t.Errorf("docs/configuration.md on %s (-program +documented):\n%s", k.Name, diff)
		}
	}
	if n, m := len(config.Keys("sensor")), len(config.Keys("worker")); n != m {
		t.Errorf("a sensor has %d keys, a worker %d", n, m)
	}
}

// TestKeysAreThoseOfTheFile, and those of the file have a value to show.
func TestKeysAreThoseOfTheFile(t *testing.T) {
	f, err := config.Parse("f", []byte(`
database: {url: "sqlite:x", schema: s, idle_timeout: 0s}
policy: {mode: open, allow: [a], deny: [], env: [X], trusted_packs: [/p]}
worker: {name: n, type: local, host: h, port: 1, labels: {a: b}, taints: ["gpu=x", spot:no_schedule], max_concurrent_executions: 2, verify_declared: true, heartbeat_interval: 60s,
  verify_interval: 1h, full_every: 3, unconfirmed_for: 1m30s, keep_history: 0s, max_age: 2h, report_only: true, listen: ":1", capabilities: {runtimes: [], x: [1]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, s := range f.Settings("worker", nil, func(string) string { return "" }) {
		if strings.Contains(s.Key, ".") {
			got[s.Key] = s.Text()
			if s.Source != config.FromFile || !strings.HasPrefix(s.Where, "f:") {
				t.Errorf("%s is from %s %q", s.Key, s.Source, s.Where)
			}
		}
	}
	want := map[string]any{
		"database.url": "sqlite:x", "database.schema": "s", "database.idle_timeout": "0s",
		"policy.mode": "open", "policy.allow": "a", "policy.deny": "none", "policy.env": "X", "policy.trusted_packs": "/p",
		"worker.name": "n", "worker.type": "local", "worker.host": "h", "worker.port": "1", "worker.labels": "a=b", "worker.taints": "gpu=x, spot:no_schedule",
		"worker.max_concurrent_executions": "2", "worker.verify_declared": "true", "worker.heartbeat_interval": "1m",
		"worker.verify_interval": "1h", "worker.full_every": "3", "worker.unconfirmed_for": "1m30s", "worker.keep_history": "0s", "worker.max_age": "2h",
		"worker.report_only": "true", "worker.listen": ":1", "worker.capabilities.runtimes": "none", "worker.capabilities.x": "[1]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}
