package main

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestGoRun follows the first command of the README, and what it says can be typed.
func TestGoRun(t *testing.T) {
	typed := func(line string) (out, errOut string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Dir = "../.." // a clone's own folder
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil && strings.Contains(line, "detect") {
			t.Fatalf("%s: %v\n%s%s", line, err, &stdout, &stderr)
		}
		return stdout.String(), stderr.String()
	}
	out, _ := typed("go run ./cmd/worker detect")
	hint := regexp.MustCompile(`(?m)^why\? (.+) NAME$`).FindStringSubmatch(out)
	if hint == nil {
		t.Fatalf("it does not say how to ask why:\n%s", out)
	}
	if out, errOut := typed(hint[1] + " native"); !strings.Contains(out, "(core.native): available") {
		t.Errorf("%s native:\n%s%s", hint[1], out, errOut)
	}
	_, errOut := typed("go run ./cmd/worker run --listen foo")
	see := regexp.MustCompile(`(?m)^see (.+)$`).FindStringSubmatch(errOut)
	if see == nil {
		t.Fatalf("it does not say where to look:\n%s", errOut)
	}
	if out, errOut := typed(see[1]); !strings.Contains(out, "Usage: go run ./cmd/worker run") {
		t.Errorf("%s:\n%s%s", see[1], out, errOut)
	}
	_, errOut = typed("go run ./cmd/worker explain no-such-runtime")
	if !strings.Contains(errOut, "`go run ./cmd/attune packs init`, then `go run ./cmd/worker explain ") {
		t.Errorf("what can be tried is not typed after go run:\n%s", errOut)
	}
}
