package layout

// A Split says how a row of a model is written to two tables: the platform's, and one of
// attune's beside it for what the platform's has no column for.
type Split struct {
	// Beside is attune's table, quoted, and Key its column with the id of the platform's row.
	// A row of the platform's that has none there was not written by attune.
	Beside, Key string
	// Columns are those beside.
	Columns []string
	// Both are columns beside that the platform's table has too. ListsOfText are those of
	// them that hold a list of text there instead of JSON.
	Both, ListsOfText []string
}

// Split returns how rows of a model are split, or nil if they are not.
func (l *Layout) Split(model string) *Split {
	if l.Own {
		return nil
	}
	switch model {
	case "runtime":
		s := &Split{Beside: l.name(runtimeState), Key: "runtime", Columns: []string{"aliases", "execution_config", "digest"}}
		for _, c := range s.Columns {
			if l.Has(model, c) {
				s.Both = append(s.Both, c)
			}
			if l.Type(model, c) == "_text" {
				s.ListsOfText = append(s.ListsOfText, c)
			}
		}
		return s
	case "worker":
		return &Split{Beside: l.name(stateTable), Key: "worker", Columns: []string{
			"identity", "instance", "status", "heartbeat_interval", "last_heartbeat", "refresh_requested",
		}}
	}
	return nil
}
