package layout

import "slices"

// A Split says how a row of a model is written to two tables: the platform's, and one of
// attune's beside it for what the platform's has no column for.
type Split struct {
	// Beside is attune's table, quoted, and Key its column with the id of the platform's row.
	// A row of the platform's that has none there was not written by attune.
	Beside, Key string
	// ListsOfText are columns that hold a list of text in the platform's table instead of
	// JSON.
	ListsOfText []string

	// columns are those beside. The platform's table gets those of shared too.
	columns, shared []string
	has             map[string]string
}

// Where reports to which of the two tables a column is written. A column that neither has is
// written to none.
func (s *Split) Where(column string) (platform, beside bool) {
	beside = slices.Contains(s.columns, column)
	return s.has[column] != "" && (!beside || slices.Contains(s.shared, column)), beside
}

// Split returns how rows of a model are split, or nil if they are not.
func (l *Layout) Split(model string) *Split {
	if l.Own {
		return nil
	}
	s := &Split{has: l.columns[model]}
	switch model {
	case "runtime":
		s.Beside, s.Key = l.name(runtimeState), "runtime"
		s.shared = []string{"aliases", "execution_config"}
		s.columns = append([]string{"digest"}, s.shared...) // a platform's digest is another one
		for _, c := range s.shared {
			if l.Type(model, c) == "_text" {
				s.ListsOfText = append(s.ListsOfText, c)
			}
		}
	case "worker":
		s.Beside, s.Key = l.name(stateTable), "worker"
		s.columns = []string{"identity", "instance", "status", "heartbeat_interval", "last_heartbeat", "refresh_requested"}
	default:
		return nil
	}
	return s
}
