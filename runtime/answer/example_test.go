package answer_test

import (
	"errors"
	"fmt"

	"github.com/attune-go/attune/runtime/answer"
)

// The terms of a selector are texts, such as the parameters of a request. Errors hold what a
// program needs to answer in words of its own.
func ExampleParseSelector() {
	s, err := answer.ParseSelector([]string{"web-*", "role:worker", "label:zone=a", "has:python@>=3.12"}, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Names, s.Roles, s.Labels[0].Key, s.Has[0].Written, s.Has[0].Constraint)

	_, err = answer.ParseSelector([]string{"roel:worker"}, false)
	if wrong := (*answer.TermError)(nil); errors.As(err, &wrong) {
		fmt.Printf("%s is unknown, and %s is probably meant\n", wrong.Key, wrong.Near)
	}
	// Output:
	// [web-*] [worker] zone python >=3.12
	// roel is unknown, and role is probably meant
}
