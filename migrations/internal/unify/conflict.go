package unify

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// A document is a row of runtime or a JSON object.
type document = map[string]json.RawMessage

// A mergedRow is a row of the merge.
type mergedRow struct {
	ID       int64    `json:"id"`
	Ref      string   `json:"ref"`
	Became   int64    `json:"became"`
	Target   string   `json:"target"`
	Members  int      `json:"members"`
	FromCore []string `json:"from_core"`
	// Row is the row, and Doc its metadata as an object. Merged holds the survivor's new values. They
	// are set only if several rows share a target.
	Row    document        `json:"row"`
	Doc    json.RawMessage `json:"doc"`
	Merged document        `json:"merged"`
}

// merges returns what every row becomes.
func (s *session) merges(ctx context.Context) ([]Merge, error) {
	var rows []mergedRow
	err := s.load(ctx, "merge the runtimes", `
SELECT id, ref, became, target, members, from_core,
  CASE WHEN members > 1 THEN row END AS row, CASE WHEN members > 1 THEN doc END AS doc, CASE WHEN members > 1 THEN merged END AS merged
FROM (`+s.merge()+`) m ORDER BY target, rank`, &rows)
	if err != nil {
		return nil, err
	}
	merges := []Merge{}
	for len(rows) > 0 {
		n := rows[0].Members
		merges = append(merges, s.mergeOf(rows[:n]))
		rows = rows[n:]
	}
	return merges, nil
}

func (s *session) mergeOf(rows []mergedRow) Merge {
	m := Merge{Ref: rows[0].Target, ID: rows[0].Became, FromCore: rows[0].FromCore}
	for _, row := range rows {
		m.From = append(m.From, Source{ID: row.ID, Ref: row.Ref})
	}
	if len(rows) > 1 {
		m.Conflicts = s.conflicts(rows)
	}
	return m
}

// conflicts returns the values that the merged row lacks. It compares the merge's result instead
// of deciding which side wins, so that the plan agrees with the merge.
func (s *session) conflicts(rows []mergedRow) []Conflict {
	result := maps.Clone(rows[0].Row)
	maps.Copy(result, rows[0].Merged)
	values := make([]document, len(rows))
	for i, row := range rows {
		row.Row["distributions"] = row.Doc
		values[i] = s.comparableValues(row.Row)
	}
	var found []Conflict
	for i, of := range values {
		for _, key := range slices.Sorted(maps.Keys(of)) {
			kept := at(result, key)
			if same(kept, of[key]) || isUnion(key, kept, of[key]) || isFilled(rows[0].FromCore, key, of[key]) {
				continue
			}
			from := slices.IndexFunc(rows, func(r mergedRow) bool { return same(at(r.Row, key), kept) })
			c := Conflict{Key: strings.ReplaceAll(key, separator, "."), Kept: kept, Lost: of[key], LostFrom: rows[i].Ref}
			if c.KeptFrom = rows[0].Target; from >= 0 {
				c.KeptFrom = rows[from].Ref
			}
			found = append(found, c)
		}
	}
	return found
}

// separator separates the names in a path. Names may contain all other characters.
const separator = "\x00"

// comparableValues returns the values of a row between which a merge decides, by path.
func (s *session) comparableValues(row document) document {
	values := document{}
	for name, value := range row {
		c, _ := s.runtime.column(name)
		null := string(value) == "null" && c.TypeOID != jsonbOID
		if c.Generated || null || slices.Contains([]string{"id", "ref", typeColumn, "created", "updated"}, name) {
			continue
		}
		values[name] = value
		if name == "distributions" || name == "installation" {
			split(values, name)
			split(values, "distributions"+separator+"verification")
		}
	}
	return values
}

// split replaces an object at a path by its values.
func split(values document, path string) {
	var object document
	if json.Unmarshal(values[path], &object) != nil || object == nil {
		return
	}
	delete(values, path)
	for name, inner := range object {
		values[path+separator+name] = inner
	}
}

// at returns the value at a path, or null for a missing one.
func at(row document, path string) json.RawMessage {
	for {
		name, rest, more := strings.Cut(path, separator)
		value, ok := row[name]
		switch {
		case !ok:
			return json.RawMessage("null")
		case !more:
			return value
		}
		row = nil
		if json.Unmarshal(value, &row) != nil {
			return json.RawMessage("null")
		}
		path = rest
	}
}

func same(a, b json.RawMessage) bool { return string(a) == string(b) }

// isUnion reports whether both values are kept or one is empty. Commands of several rows are
// united, and a null or missing value gives way to the core definition.
func isUnion(path string, kept, lost json.RawMessage) bool {
	switch strings.ReplaceAll(path, separator, ".") {
	case "distributions.verification.commands":
		return strings.HasPrefix(string(kept), "[") && strings.HasPrefix(string(lost), "[")
	case "distributions.verification", "distributions.roles":
		return string(lost) == "null" || string(lost) == "{}"
	}
	return false
}

// isFilled reports whether the verification was empty, so that the core definition's replaced it.
func isFilled(fromCore []string, path string, lost json.RawMessage) bool {
	if !slices.Contains(fromCore, "verification") {
		return false
	}
	switch strings.ReplaceAll(path, separator, ".") {
	case "distributions.verification.always_available":
		return string(lost) == "null" || string(lost) == "false"
	case "distributions.verification.check_required":
		return string(lost) == "null" || string(lost) == "true"
	case "distributions.verification.commands":
		return string(lost) == "null" || string(lost) == "[]"
	}
	return false
}
