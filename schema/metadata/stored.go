package metadata

import (
	"database/sql"
	"encoding/json"
	"fmt"
)

// ReadStored reads the JSON of a definition that came from a database, and so may have malformed
// columns. As in a scanned row, such a column keeps its text, and its Fault returns the reason.
func ReadStored(text []byte) (Definition, error) {
	var d Definition
	if json.Unmarshal(text, &d) == nil {
		return d, nil
	}
	var versions []json.RawMessage
	err := readColumns(text, &d, map[string]sql.Scanner{
		"aliases": &d.Aliases, "distributions": &d.Distributions, "execution_config": &d.ExecutionConfig,
	}, &versions)
	for i := 0; i < len(versions) && err == nil; i++ {
		var v VersionDefinition
		err = readColumns(versions[i], &v, map[string]sql.Scanner{
			"distributions": &v.Distributions, "execution_config": &v.ExecutionConfig,
		}, nil)
		d.Versions = append(d.Versions, v)
	}
	if err != nil {
		return d, fmt.Errorf("read a definition: %w", err)
	}
	return d, nil
}

// readColumns reads an object whose members in columns are scanned. The member versions is left to
// the caller.
func readColumns(text []byte, to json.Unmarshaler, columns map[string]sql.Scanner, versions *[]json.RawMessage) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	if versions != nil && members["versions"] != nil {
		if err := json.Unmarshal(members["versions"], versions); err != nil {
			return err
		}
		delete(members, "versions")
	}
	scanned := map[string]json.RawMessage{}
	for name := range columns {
		if members[name] != nil {
			scanned[name] = members[name]
			delete(members, name)
		}
	}
	rest, err := json.Marshal(members)
	if err != nil {
		return err
	}
	if err := to.UnmarshalJSON(rest); err != nil {
		return err
	}
	for name, column := range scanned {
		if err := columns[name].Scan(string(column)); err != nil {
			return err
		}
	}
	return nil
}
