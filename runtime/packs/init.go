package packs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/schema/metadata"
)

// ErrExists: the folder holds a pack already.
var ErrExists = errors.New("the folder holds a pack already")

// Init writes the skeleton of a new pack into the folder dir, which is created
// where it is missing. It gives the files it wrote. It overwrites nothing: a
// folder that holds a pack, or a part of one, is ErrExists.
func Init(dir, ref string) (written []string, err error) {
	if message := metadata.ValidPackRef(ref); message != "" {
		return nil, fmt.Errorf("init pack %q: the ref %s", ref, message)
	}
	if ref == metadata.CorePack {
		return nil, fmt.Errorf("init pack %q: this is the ref of the pack that comes with the program; choose another", ref)
	}
	for _, name := range []string{packFile, runtimesFolder} {
		switch _, err := os.Lstat(filepath.Join(dir, name)); {
		case err == nil:
			return nil, fmt.Errorf("init pack %q: %w: %s is there", ref, ErrExists, filepath.Join(dir, name))
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("init pack %q: %w", ref, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, runtimesFolder), 0o755); err != nil {
		return nil, fmt.Errorf("init pack %q: %w", ref, err)
	}
	for _, f := range []struct{ name, text string }{
		{packFile, skeletonPack},
		{filepath.Join(runtimesFolder, "example.yaml"), skeletonRuntime},
	} {
		name := filepath.Join(dir, f.name)
		if err := create(name, strings.ReplaceAll(f.text, "REF", ref)); err != nil {
			return written, fmt.Errorf("init pack %q: %w", ref, err)
		}
		written = append(written, name)
	}
	return written, nil
}

// create writes a file that must not be there yet.
func create(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// schemaURL is where editors find the JSON Schemas of a pack's files. The core
// pack's files name those beside them in the repository.
const schemaURL = "https://raw.githubusercontent.com/attune-go/attune/v" + attune.Version + "/docs/"

const skeletonPack = `# yaml-language-server: $schema=` + schemaURL + `pack.schema.json
# A pack: this file, and one file per runtime in runtimes/.
ref: REF
label: REF
version: 0.1.0
description: ""
`

const skeletonRuntime = `# yaml-language-server: $schema=` + schemaURL + `runtime.schema.json
# One runtime. Rename the file and what is in it, then try it on this machine:
#   worker detect --pack FOLDER
#   worker explain REF.example --pack FOLDER
ref: REF.example
name: Example
# The first alias is the name under which a host advertises the runtime.
aliases: [REF-example]
description: An example that no machine has

distributions:
  verification:
    # Tried by ascending priority; the first that succeeds wins.
    commands:
      - binary: REF-example
        args: ["--version"]
        # Must match what it prints, so that another program of this name does
        # not count.
        pattern: "^Example [0-9]"
        priority: 1
  # An installation below this version does not count.
  min_version: "1.0"

execution_config:
  interpreter:
    binary: REF-example
    args: []
    file_extension: .example
`
