// Package backend holds the support for SQLite of a program that links it.
package backend

import (
	"context"

	"github.com/uptrace/bun"
)

// A Backend opens SQLite files and explains errors of SQLite.
type Backend struct {
	// Open opens the database at path. With create it creates a missing file.
	Open func(ctx context.Context, path string, create bool) (*bun.DB, error)
	// Classify reports whether an error is SQLite's, and returns the error variable of package
	// database for it, or nil.
	Classify func(err error) (ok bool, kind error)
	// Remedy returns what to do about an error of SQLite of the given kind, and whether
	// err is one.
	Remedy func(err, kind error) (text string, ok bool)
}

// SQLite is nil unless the program links package sqlite, which sets it in init.
var SQLite *Backend
