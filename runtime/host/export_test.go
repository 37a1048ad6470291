package host

import "time"

// For the tests.
var (
	StubFault   = stubFault
	SplitWords  = splitWords
	ReplaceWord = replaceWord
)

// SetVars and PassVars are the names in the tables.
func SetVars() (names []string) {
	for _, v := range setVars {
		names = append(names, v.name)
	}
	return names
}

func PassVars() (names []string) {
	for _, v := range passVars {
		names = append(names, v.name)
	}
	return names
}

func SetEndGrace(d time.Duration) { endGrace = d }

func (w word) Text() string { return w.text }
func (w word) Quoted() bool { return w.quoted }
