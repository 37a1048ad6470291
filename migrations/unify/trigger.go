package unify

import "context"

// enable is how each state of a trigger is brought back.
var enable = map[string]string{"O": "ENABLE TRIGGER ", "R": "ENABLE REPLICA TRIGGER ", "A": "ENABLE ALWAYS TRIGGER "}

// withoutTriggers runs fn while no trigger of a user fires: what is re-pointed
// was not changed by anybody, so its updated stays, and nobody is told. Exactly
// those that fired before fire afterwards. Partitions have triggers of their
// own, so each table is named alone.
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
			"ALTER TABLE ONLY "+tg.Table+" DISABLE TRIGGER "+ident(tg.Name)); err != nil {
			return err
		}
	}
	if err := fn(); err != nil {
		return err
	}
	for _, tg := range triggers {
		if _, err := s.exec(ctx, "enable trigger "+tg.Name,
			"ALTER TABLE ONLY "+tg.Table+" "+enable[tg.Enabled]+ident(tg.Name)); err != nil {
			return err
		}
	}
	return nil
}
