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

// ErrExists reports that a folder holds a pack already.
var ErrExists = errors.New("the folder holds a pack already")

// Init writes the skeleton of a new pack into the folder dir and returns the files it
// wrote. It creates a missing folder and overwrites nothing: its error wraps ErrExists
// if the folder holds a pack or a part of one.
func Init(dir, ref string) (written []string, err error) {
	if message := metadata.ValidPackRef(ref); message != "" {
		return nil, fmt.Errorf("init pack %q: the ref %s", ref, message)
	}
	if ref == metadata.CorePack {
		return nil, fmt.Errorf("init pack %q: the embedded core pack has this ref; choose another", ref)
	}
	for _, name := range []string{packFile, runtimesFolder} {
		switch _, err := os.Lstat(filepath.Join(dir, name)); {
		case err == nil:
			return nil, fmt.Errorf("init pack %q: %w: %s exists", ref, ErrExists, filepath.Join(dir, name))
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

// create writes a new file.
func create(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// schemaURL is the folder of the JSON Schemas that editors read. The core pack's files
// name the copies in the repository.
const schemaURL = "https://raw.githubusercontent.com/attune-go/attune/v" + attune.Version + "/docs/"

const skeletonPack = `# yaml-language-server: $schema=` + schemaURL + `pack.schema.json
# A pack: this file, and one file per runtime in runtimes/.
ref: REF
label: REF
version: 0.1.0
description: ""
`

const skeletonRuntime = `# yaml-language-server: $schema=` + schemaURL + `runtime.schema.json
# One runtime. Rename it, here and in the file name, then try it on this machine:
#   worker detect --pack FOLDER
#   worker explain REF.example --pack FOLDER
ref: REF.example
name: Example
# A host advertises the runtime under the first alias.
aliases: [REF-example]
description: An example runtime

distributions:
  verification:
    # Tried by ascending priority; the first that succeeds wins.
    commands:
      - binary: REF-example
        args: ["--version"]
        # Must match the output, so that another program of this name does not count.
        # In single quotes a backslash needs no second one.
        pattern: '^Example [0-9]'
        priority: 1
  # An installation below this version does not count.
  min_version: "1.0"

execution_config:
  interpreter:
    binary: REF-example
    args: []
    file_extension: .example
`
