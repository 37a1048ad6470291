// Package hostile has text that would be syntax, were it not data.
package hostile

import "github.com/attune-go/attune/schema/document"

// Odd: */ ` " \ {{.}} {schema} '); DROP TABLE runtime; -- | <script>alert(1)</script>
//
//attune:document column
//attune:guard odd.document
type Odd struct {
	// Quote ends " the ' text ` and */ the comment {{end}} $1 $$ $function$.
	Quote string `json:"quo'te\u0022 $$ {{.}} %s \\"`
	// Kind is one of some.
	Kind Kind             `json:"kind,omitempty"`
	More document.Unknown `json:"-"`
	bad  document.Malformed
}

// Kind of an Odd.
//
//attune:enum
type Kind string

// The kinds.
const (
	Plain  Kind = "plain"
	Quoted Kind = "it's \"a\" `kind` $$ %d \\ \n /* */ --"
)
