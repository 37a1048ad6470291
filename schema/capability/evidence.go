package capability

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// What a stored attempt omits.
const (
	omitsEntry = "entry" // what the entry that it is about says as well
	omitsPath  = "path"  // where it was looked for, which follows from the host's PATH
)

// A storedAttempt is an attempt without what is stored elsewhere.
type storedAttempt struct {
	Attempt
	Omits string `json:"omits,omitempty"`
}

// EncodeAttempts encodes the attempts of an entry without what is stored elsewhere: like is what
// the entry itself says, and path holds the folders of the host's PATH. It returns nil if a single
// attempt says what the entry says, and nothing more. DecodeAttempts returns the same attempts again.
func EncodeAttempts(attempts []Attempt, like Attempt, path []string) (json.RawMessage, error) {
	if len(attempts) == 0 || len(attempts) == 1 && len(like.Command) > 0 && reflect.DeepEqual(attempts[0], like) {
		return nil, nil
	}
	list := make([]storedAttempt, len(attempts))
	for i, a := range attempts {
		list[i] = storedAttempt{Attempt: a}
		for _, omits := range []string{omitsEntry, omitsPath} {
			short := storedAttempt{without(a, restored(omits, a, like, path)), omits}
			if reflect.DeepEqual(decoded(short, like, path), a) && len(list[i].Omits) == 0 {
				list[i] = short
			}
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encode evidence: %w", err)
	}
	return text, nil
}

// DecodeAttempts decodes the attempts of an entry, those of earlier releases too.
func DecodeAttempts(text json.RawMessage, like Attempt, path []string) ([]Attempt, error) {
	if len(text) == 0 {
		if len(like.Command) == 0 {
			return []Attempt{}, nil
		}
		return []Attempt{like}, nil
	}
	var list []storedAttempt
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	attempts := make([]Attempt, len(list))
	for i, s := range list {
		attempts[i] = decoded(s, like, path)
	}
	return attempts, nil
}

// restored returns the values that a stored attempt omits.
func restored(omits string, a, like Attempt, path []string) Attempt {
	switch {
	case omits == omitsEntry:
		like.Command, like.DurationMS, like.Outcome = nil, 0, ""
		return like
	case omits == omitsPath && len(a.Command) > 0:
		var from Attempt
		from.Detail, from.Hint = NotFoundIn(path, a.Command[0])
		return from
	}
	return Attempt{}
}

// without returns an attempt without the values that it shares with another.
func without(a, other Attempt) Attempt {
	v, o := reflect.ValueOf(&a).Elem(), reflect.ValueOf(other)
	for i := range v.NumField() {
		if !o.Field(i).IsZero() && reflect.DeepEqual(v.Field(i).Interface(), o.Field(i).Interface()) {
			v.Field(i).SetZero()
		}
	}
	return a
}

// decoded returns the attempt of a stored one.
func decoded(s storedAttempt, like Attempt, path []string) Attempt {
	v, from := reflect.ValueOf(&s.Attempt).Elem(), reflect.ValueOf(restored(s.Omits, s.Attempt, like, path))
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			v.Field(i).Set(from.Field(i))
		}
	}
	return s.Attempt
}

// Attempt returns what the entry says about the attempt that found it.
func (d *Installation) Attempt() Attempt {
	return Attempt{
		Command: d.Command, Path: d.Path, RealPath: d.RealPath, ExitCode: new(int), DurationMS: d.DurationMS, Remembered: d.Remembered,
		VersionFile: d.VersionFile, Output: d.VersionRaw, Version: d.Version, VersionRaw: d.VersionRaw, Outcome: d.Outcome,
	}
}

// Attempt returns what the entry says about its most informative attempt.
func (f *Failure) Attempt() Attempt {
	return Attempt{Path: f.Path, RealPath: f.RealPath, Version: f.Version, Outcome: f.Outcome, Detail: f.Detail, Hint: f.Hint}
}

// Attempt returns what the entry says about its most informative attempt.
func (a *Absence) Attempt() Attempt {
	return Attempt{Outcome: a.Outcome, Detail: a.Detail, Hint: a.Hint}
}
