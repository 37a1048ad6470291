package cli

import (
	"errors"
	"fmt"
)

// Exit statuses.
const (
	ExitDone   = 0
	ExitFailed = 1
	// ExitUsage: the command line was wrong; nothing was done.
	ExitUsage = 2
	// ExitPending: --exit-code was given and something differs.
	ExitPending = 3
	// ExitInterrupted: SIGINT or SIGTERM ended it, as shells count SIGINT.
	ExitInterrupted = 130
)

// A UsageError means that the command line is wrong.
type UsageError struct{ Message string }

func (e *UsageError) Error() string { return e.Message }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// A Silent ends a program with a status of its own and says nothing more.
type Silent struct{ Status int }

func (e *Silent) Error() string { return fmt.Sprintf("exit status %d", e.Status) }

func status(err error) int {
	var silent *Silent
	var usage *UsageError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &silent):
		return silent.Status
	case errors.As(err, &usage):
		return ExitUsage
	}
	return ExitFailed
}
