package cli

import (
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
)

// RoleName returns a stored role in the words of the command line.
func RoleName(r schema.WorkerRole) string { return answer.RoleName(r) }

// StatusName returns a worker's status, or - if the row has none.
func StatusName(w *schema.Worker) string { return answer.StatusName(w) }

// A WorkerDoc is a worker as JSON.
type WorkerDoc = answer.WorkerRow

// WorkerDocOf returns the JSON document of a row.
func WorkerDocOf(w *schema.Worker) WorkerDoc { return answer.WorkerRowOf(w) }
