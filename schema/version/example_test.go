package version_test

import (
	"fmt"

	"github.com/attune-go/attune/schema/version"
)

func ExampleExtract() {
	v, raw, ok := version.Extract("Picked up JAVA_TOOL_OPTIONS: -Dfoo=1.2.3\nopenjdk version \"1.8.0_192\"\n")
	fmt.Println(v, raw, ok)
	// Output: 8.0.192 openjdk version "1.8.0_192" true
}

func ExampleConstraint_Match() {
	c, err := version.ParseConstraint(">=3.11,<4")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"3.12.1", "3.13.0rc1", "4.0.0"} {
		v, _ := version.Parse(text)
		fmt.Println(v, c.Match(v, false), c.Match(v, true))
	}
	// Output:
	// 3.12.1 true true
	// 3.13.0-rc1 false true
	// 4.0.0 false false
}

func ExampleConstraint_Ranges() {
	c, err := version.ParseConstraint("3.12 || >=3.13.0-rc1")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range c.Ranges(false) {
		fmt.Printf("%q %q %v\n", r.From, r.To, r.ReleasesOnly)
	}
	// Output:
	// "A3B12A0-" "A3B13A0-" true
	// "A3B13A0-rcA1" "" true
	// "A3B13A0-rcA1" "A3B13A0." false
}
