// Package sample holds wordings for the test of the language check.
package sample

// Good reports whether a name is good.
func Good() bool { return true }

// This is a doc without the function's name. BAD doc without its name.
func Bad() {}

// Is is a doc without a verb. BAD doc without a verb.
func Is() {}

// Gives gives the sum. BAD doc without a verb.
func Gives() {}

// Join join the texts. BAD doc without a verb.
func Join() {}

// Always always returns nil. BAD doc without a verb.
func Always() {}

// lower is the doc of a function that nobody else calls.
func lower() {}

type T struct{}

// A method is checked too. BAD doc without its name.
func (T) Method() {}

// Closes the file. BAD doc without its name.
func (T) Close() {}

var (
	_ = "a folder is no file" // BAD negated noun.
	_ = "there is no file of that name"
	_ = "the file is no longer there"
	_ = "there IS NONE here" // BAD none as predicate.
	_ = "none is there"
	_ = "five files, of which two are new" // BAD relative of.
	_ = "three users, of whom one left"    // BAD relative of.
	_ = "those that of two files is new"   // BAD chain of that.
	_ = "the name is that of the file"     // BAD that as noun.
	_ = "whoever writes it"                // BAD subject of a riddle.
	_ = "who reads it waits"               // BAD free relative who.
	_ = "the user who closes it"
	_ = "what the catalog says of a key" // BAD verb with of.
	_ = "what was told of it"            // BAD verb with of.
	_ = "it is not any more"             // BAD foreign negation.
	_ = "Nil: none."                     // BAD default as riddle.
	_ = "Nil means none."
	_ = "Of two the first wins."             // BAD leading Of.
	_ = "Both count. Of two the first wins." // BAD leading Of.
	_ = "The first of two wins. Off it goes."
	_ = "must be text, not a number" // BAD not for got.
	_ = ", not " + "a number"        // BAD not for got.
	_ = "must be text, got a number: it is a word, not a sum"
	_ = "expected a list, got text" // BAD expected for must.
	_ = "%s: got 1, want 2"
	_ = "%q is not a number"      // BAD value before its rule.
	_ = "%[2]q must be a number"  // BAD value before its rule.
	_ = "--limit: %d is negative" // BAD value before its rule.
	_ = "must be a number, got %q"
	_ = "the text is longer than %d bytes" // BAD comparison for a limit.
	_ = "more than %d files are left out"
	_ = `raw strings are
		whoever` // BAD subject of a riddle.
)

// The first line of this comment is
// no obstacle to finding a fault in it. BAD negated noun.
var _ = 0

// There is
// no fault here.
var _ = 0

/*
A block comment that somebody
who has time may read. BAD free relative who.
*/
var _ = 0

var _ = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" // BAD line too wide.
var _ = `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`

//go:generate xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
