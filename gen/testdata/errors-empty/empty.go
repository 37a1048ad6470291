// Package errors has no document.
package errors

type T struct{}
