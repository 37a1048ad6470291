package unify

import (
	"context"
	"errors"

	"github.com/uptrace/bun"
)

// DownPlan is what Down would do.
type DownPlan struct {
	Schema string `json:"schema"`
}

// ExamineDown says what Down would do and what would be lost. It writes nothing.
func ExamineDown(ctx context.Context, db bun.IDB, schema string) (*DownPlan, error) {
	return &DownPlan{Schema: schema}, nil
}

// Down undoes Up or Adopt.
func Down(ctx context.Context, tx bun.IDB, schema string, opts Options) (*Report, error) {
	return nil, errors.New("unify: down is being written")
}
