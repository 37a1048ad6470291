package packs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/runtime/packs"
)

var schemaLine = regexp.MustCompile(`^# yaml-language-server: \$schema=(\S+)\n`)

// TestFilesNameTheirSchema checks that each file names a schema for editors that accepts it.
func TestFilesNameTheirSchema(t *testing.T) {
	dir := t.TempDir()
	if _, err := packs.Init(dir, "acme"); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, pattern := range []string{"core/*.yaml", "core/runtimes/*.yaml", filepath.Join(dir, "*.yaml"), filepath.Join(dir, "runtimes/*.yaml")} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		line := schemaLine.FindSubmatch(text)
		if line == nil {
			t.Errorf("%s names no schema in its first line", name)
			continue
		}
		path := filepath.Join(filepath.Dir(name), string(line[1]))
		// A new pack is anywhere, so it names the release's file.
		const release = "https://raw.githubusercontent.com/attune-go/attune/v" + attune.Version + "/"
		if rest, ok := strings.CutPrefix(string(line[1]), release); ok {
			path = filepath.Join("../..", rest)
		}
		schema, err := jsonschema.NewCompiler().Compile(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var doc any
		if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&doc); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBareVersions checks that loader and schema accept a version without quotes, and
// that it is read from its text.
func TestBareVersions(t *testing.T) {
	const file = "ref: acme.x\nname: X\ndistributions: {min_version: 3.10, verification: {always_available: true}}\nversions: [{version: 3.20}]\n"
	pack, faults := packs.Load(fstest.MapFS{"pack.yaml": {Data: []byte("ref: acme\nversion: 1.0\n")}, "runtimes/x.yaml": {Data: []byte(file)}}, packs.Config{})
	if err := faults.Err(); err != nil || pack.Definitions[0].Distributions.MinVersion != "3.10" || pack.Definitions[0].Versions[0].Version != "3.20" {
		t.Errorf("%v, %+v", err, pack.Definitions)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/runtime.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal([]byte(file), &doc); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
}
