package main

import (
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

// environments holds the variables of command lines by the name of the test that set them. The environment of the
// process would be the same for tests that run in parallel.
var environments = struct {
	sync.Mutex
	of map[string]map[string]string
}{of: map[string]map[string]string{}}

// environment returns the variables for the command lines of a test: its own, else those of the test that it is a part
// of, else those of the process. The caller holds the lock.
func environment(t testing.TB) map[string]string {
	for name := t.Name(); name != "."; name = path.Dir(name) {
		if own, set := environments.of[name]; set {
			return own
		}
	}
	all := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return all
}

// environ returns the environment for the command lines of a test, in the form of os.Environ.
func environ(t testing.TB) (pairs []string) {
	environments.Lock()
	defer environments.Unlock()
	for name, value := range environment(t) {
		pairs = append(pairs, name+"="+value)
	}
	return pairs
}

// getenv returns a variable for the command lines of a test.
func getenv(t testing.TB, name string) string {
	environments.Lock()
	defer environments.Unlock()
	return environment(t)[name]
}

// changeEnv changes the variables for the command lines of a test and of its later parts.
func changeEnv(t testing.TB, change func(variables map[string]string)) {
	t.Helper()
	environments.Lock()
	defer environments.Unlock()
	name := t.Name()
	if environments.of[name] == nil {
		environments.of[name] = maps.Clone(environment(t))
		t.Cleanup(func() {
			environments.Lock()
			defer environments.Unlock()
			delete(environments.of, name)
		})
	}
	change(environments.of[name])
}

// setenv sets a variable for the command lines of a test and of its later parts.
func setenv(t testing.TB, name, value string) {
	t.Helper()
	changeEnv(t, func(variables map[string]string) { variables[name] = value })
}

// unsetenv removes a variable for the command lines of a test and of its later parts.
func unsetenv(t testing.TB, name string) {
	t.Helper()
	changeEnv(t, func(variables map[string]string) { delete(variables, name) })
}

// isolated keeps the machine's own settings out of a test, except the file attune.yaml in its folder.
func isolated(t testing.TB) {
	t.Helper()
	home := t.TempDir()
	changeEnv(t, func(variables map[string]string) {
		maps.DeleteFunc(variables, func(name, _ string) bool {
			return strings.HasPrefix(name, "ATTUNE_") && !strings.HasPrefix(name, "ATTUNE_TEST_") ||
				slices.Contains([]string{"XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}, name)
		})
		variables["HOME"] = home
	})
}

// isolate works like isolated, in an empty folder. The test cannot run in parallel with others.
func isolate(t *testing.T) {
	t.Helper()
	isolated(t)
	t.Chdir(t.TempDir())
}

// onPath makes a folder the PATH of the command lines of a test. The core pack knows fixed places of Java and Go, and a
// policy denies both, so that a detection starts only what the test has put there.
func onPath(t testing.TB, folder string) {
	t.Helper()
	setenv(t, "PATH", folder)
	setenv(t, "ATTUNE_POLICY_DENY", "java; go")
}
