// Package statement marks statements for the connections that run them. It is apart from package
// database, which package store does not import.
package statement

import "context"

type key struct{}

// WithPreparation returns a context for statements whose planning takes longer than their run, and that a
// program sends again with the same text. A connection that package database opened prepares them, so
// that the server plans them once, where it can: not in a transaction, nor behind a pooler that gives the
// next statement another session.
func WithPreparation(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) }

// Prepares reports whether the context is of WithPreparation.
func Prepares(ctx context.Context) bool { return ctx.Value(key{}) != nil }
