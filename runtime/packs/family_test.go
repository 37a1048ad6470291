//go:build unix

package packs_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/packs"
)

// familyPython has the shape of the files that platforms of this family own.
const familyPython = `ref: core.python
pack_ref: core
name: Python
description: Python 3 with an environment for each pack

distributions:
  verification:
    commands:
      - binary: python3
        args:
          - "--version"
        exit_code: 0
        pattern: "Python 3\\."
        priority: 1
      - binary: python
        args:
          - "--version"
        exit_code: 0
        pattern: "Python 3\\."
        priority: 2
        optional: true
  min_version: "3.8"
  recommended_version: "3.11"

installation:
  package_managers:
    - pip
    - poetry
  virtual_env_support: true

execution_config:
  interpreter:
    binary: python3
    args:
      - "-u"
    file_extension: ".py"
  environment:
    env_type: virtualenv
    dir_name: .venv
    create_command:
      - python3
      - "-m"
      - venv
      - "{env_dir}"
    interpreter_path: "{env_dir}/bin/python3"
  dependencies:
    manifest_file: requirements.txt
    install_command: ["{interpreter}", "-m", pip, install, "-r", "{manifest_path}"]
  env_vars:
    PYTHONPATH:
      operation: prepend
      value: "{pack_dir}/lib"

versions:
  - version: "3.12"
    is_default: true
    distributions:
      verification:
        commands:
          - binary: python3.12
            args: ["--version"]
            exit_code: 0
            pattern: "Python 3\\.12\\."
            priority: 1
    execution_config:
      interpreter:
        binary: python3.12
        args: ["-u"]
        file_extension: ".py"
    meta:
      lts: false
`

const familyNative = `ref: core.native
pack_ref: core
name: Native
description: Runs an executable as it is
distributions:
  verification:
    always_available: true
    check_required: false
  languages: [rust, go, c]
installation:
  build_required: false
execution_config:
  interpreter:
    binary: ""
    args: []
    file_extension: null
`

func TestFamilyFilesLoadUnchanged(t *testing.T) {
	p, got := load(pack(map[string]string{"pack.yaml": "ref: core\nlabel: Core\ndescription: \"\"\nversion: \"1.0.0\"\n" +
		"tags: [core]\nruntime_deps: []\nconf_schema: {}\nconfig: {}\nmeta: {}\n", "python": familyPython, "native": familyNative}), packs.Config{Core: true})
	want := []string{`runtimes/native.yaml:9:3: warning: /distributions/languages: unknown key "languages"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if len(p.Definitions) != 2 {
		t.Fatalf("loaded %+v", p.Definitions)
	}
	python := p.Definitions[1]
	for kept, want := range map[string]string{
		string(python.Installation):                 `{"package_managers":["pip","poetry"],"virtual_env_support":true}`,
		string(python.ExecutionConfig.EnvVars):      `{"PYTHONPATH":{"operation":"prepend","value":"{pack_dir}/lib"}}`,
		string(python.ExecutionConfig.Dependencies): `{"manifest_file":"requirements.txt","install_command":["{interpreter}","-m","pip","install","-r","{manifest_path}"]}`,
		string(python.Versions[0].Meta):             `{"lts":false}`,
	} {
		if kept != want {
			t.Errorf("kept as %s, want %s", kept, want)
		}
	}
	commands := python.Distributions.Verification.Ordered()
	if len(commands) != 2 || commands[0].Pattern != `Python 3\.` || !commands[1].Optional {
		t.Errorf("commands %+v", commands)
	}
}
