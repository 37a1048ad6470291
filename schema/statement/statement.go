// Package statement marks statements for the connections that run them. It is apart from package
// database, which package store does not import.
package statement

import "context"

type key struct{}

// A Preparation says how a connection prepares a statement.
type Preparation struct {
	// Text is what it prepares. It is the statement itself if it is empty.
	Text string
	// Values are those of the parameters in Text.
	Values []any
}

// WithPreparation returns a context for statements whose planning takes longer than their run, and that a
// program sends again with the same text. A connection that package database opened prepares them, so
// that the server plans them once, where it can: not in a transaction, nor behind a pooler that gives the
// next statement another session.
func WithPreparation(ctx context.Context) context.Context {
	return context.WithValue(ctx, key{}, Preparation{})
}

// WithParameters returns a context as WithPreparation, for statements that a program sends again with other values.
// The connection prepares text, which has $1, $2 and so on for the values and does what the statement does.
func WithParameters(ctx context.Context, text string, values ...any) context.Context {
	return context.WithValue(ctx, key{}, Preparation{text, values})
}

// PreparationOf returns how to prepare the statement of a context. It returns false for one that is not prepared.
func PreparationOf(ctx context.Context) (Preparation, bool) {
	p, ok := ctx.Value(key{}).(Preparation)
	return p, ok
}
