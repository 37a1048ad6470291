package version_test

import (
	_ "embed"
	"strings"
)

//go:embed testdata/versions.txt
var versionsText string

//go:embed testdata/constraints.txt
var constraintsText string

// versionTexts and constraintTexts are read by fixtures/comparisons too.
var (
	versionTexts    = strings.Split(strings.TrimSpace(versionsText), "\n")
	constraintTexts = strings.Split(strings.TrimSpace(constraintsText), "\n")
)
