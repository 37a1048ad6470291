package config_test

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
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
