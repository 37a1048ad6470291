package unify

import (
	"errors"
	"fmt"
	"strings"
)

// lockNotAvailable is Postgres's code of a lock timeout.
const lockNotAvailable = "55P03"

// sqlState returns Postgres's code of an error, or "".
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}

// An ObstacleError lists the obstacles. It unwraps to ErrObstacles.
type ObstacleError struct {
	Obstacles []Obstacle
}

func (e *ObstacleError) Unwrap() error { return ErrObstacles }

func (e *ObstacleError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v; nothing was changed", ErrObstacles)
	for i, o := range e.Obstacles {
		fmt.Fprintf(&b, "\n  %d. %s: %s\n%s", i+1, o.Object, o.Reason, indent(o.SQL, "       "))
	}
	return b.String()
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(text, "\n", "\n"+by)
}
