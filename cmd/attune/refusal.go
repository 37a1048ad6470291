package main

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/store"
)

// A refusal is an error that a server answered.
type refusal struct {
	Type, Title, Detail string
	Status              int
	Faults              []struct{ Parameter, Pointer, Message string }
}

func (e *refusal) Error() string {
	var messages []string
	for _, f := range e.Faults {
		messages = append(messages, f.Message)
	}
	switch {
	case messages != nil:
		return strings.Join(messages, "; ")
	case e.Status == http.StatusUnauthorized:
		return "the server does not accept the token; `attune tokens create` makes one for ATTUNE_TOKEN"
	case e.Detail != "":
		return e.Detail
	}
	return fmt.Sprintf("the server answered %d: %s", e.Status, strings.ToLower(cmp.Or(e.Title, http.StatusText(e.Status))))
}

// Is reports whether the refusal means what a database means by an error.
func (e *refusal) Is(target error) bool {
	switch e.Status {
	case http.StatusNotFound:
		return target == store.ErrNotFound
	case http.StatusBadRequest:
		return target == store.ErrInvalid || target == answer.ErrCursor && len(e.Faults) == 1 && e.Faults[0].Parameter == "after"
	}
	return false
}

// isFinal reports whether the same request would be refused again.
func (e *refusal) isFinal() bool {
	return e.Status < http.StatusInternalServerError && e.Status != http.StatusTooManyRequests
}
