package host_test

import (
	"os"
	"strings"
	"testing"
)

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	put(t, to, string(data), mode)
}

// foreignELF returns a copy of /bin/true with SPARC in its header.
func foreignELF(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	data[18], data[19] = 2, 0
	return string(data)
}

// otherLoader returns a copy of /bin/true with a loader that does not exist.
func otherLoader(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), "/ld-linux", "/ld-other", 1)
	if changed == string(data) {
		t.Skip("/bin/true has another loader here")
	}
	return file(t, "tool", changed, 0o755)
}

// beingWritten returns a script that is open for writing during the test.
func beingWritten(t *testing.T) string {
	t.Helper()
	path := script(t, ":")
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return path
}
