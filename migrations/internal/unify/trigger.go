package unify

import "context"

// enable maps the states of a trigger to the actions that restore them.
var enable = map[string]string{"O": "ENABLE TRIGGER ", "R": "ENABLE REPLICA TRIGGER ", "A": "ENABLE ALWAYS TRIGGER "}

// withoutTriggers runs fn with the triggers of users disabled, and then enables those that were
// enabled. Re-pointing changes no row in the eyes of its owner, so updated must stay and nobody must be
// notified.
func (s *session) withoutTriggers(ctx context.Context, fn func() error) error {
	var triggers []trigger
	seen := map[trigger]bool{}
	for _, t := range s.tables {
		for _, tg := range t.Triggers {
			if !seen[tg] {
				seen[tg] = true
				triggers = append(triggers, tg)
			}
		}
	}
	for _, tg := range triggers {
		if _, err := s.exec(ctx, "disable trigger "+tg.Name,
			"ALTER TABLE "+s.only(tg)+tg.Table+" DISABLE TRIGGER "+ident(tg.Name)); err != nil {
			return err
		}
	}
	if err := fn(); err != nil {
		return err
	}
	for _, tg := range triggers {
		if _, err := s.exec(ctx, "enable trigger "+tg.Name,
			"ALTER TABLE "+s.only(tg)+tg.Table+" "+enable[tg.Enabled]+ident(tg.Name)); err != nil {
			return err
		}
	}
	return nil
}

// only returns ONLY for a trigger of a partitioned table, because the states of its partitions may
// differ from the root's. Before Postgres 15 the copies on partitions count as internal, and can only be
// reached through the root.
func (s *session) only(tg trigger) string {
	if tg.Cloned && s.version < 150000 {
		return ""
	}
	return "ONLY "
}
