package service

import (
	"context"
	"fmt"
)

// Reload replaces the configuration of a running service, which verifies in full with it. It
// takes over the identity's Type, Host and Port, the Detector, and the intervals except
// StatementTimeout. If the host cannot be verified with the new configuration, the service
// logs that and returns to the former one. Reload may be called at any time.
//
// An error means that the configuration is invalid; then nothing changes.
func (s *Service) Reload(id Identity, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	s.mu.Lock()
	own := s.id
	if own.Name == id.Name && own.Role == id.Role {
		s.pending = &settings{id, cfg}
	}
	s.mu.Unlock()
	if own.Name != id.Name || own.Role != id.Role {
		return fmt.Errorf("service: %s %q cannot become %s %q while it runs", own.Role, own.Name, id.Role, id.Name)
	}
	s.Refresh()
	return nil
}

// reload applies the configuration from Reload, between two rounds.
func (s *Service) reload(context.Context) error {
	if s.verification.running != nil {
		return nil
	}
	s.mu.Lock()
	pending := s.pending
	s.pending = nil
	s.mu.Unlock()
	if pending == nil {
		return nil
	}
	former := s.settings
	if s.apply(*pending) && s.verification.fallback == nil {
		s.verification.fallback = &former
	}
	return nil
}

// apply applies settings and reports whether they give a detector.
func (s *Service) apply(to settings) (ok bool) {
	if definitions := &s.verification.definitions; definitions.detector != nil {
		detector, err := to.cfg.Detector(definitions.defs, definitions.warnings)
		if err != nil {
			s.logUnusable(err)
			return false
		}
		definitions.detector = detector
	}
	again := s.id != to.id || s.cfg.HeartbeatInterval != to.cfg.HeartbeatInterval
	s.mu.Lock()
	s.id = to.id
	s.cfg.Detector = to.cfg.Detector
	s.cfg.HeartbeatInterval, s.cfg.VerifyInterval = to.cfg.HeartbeatInterval, to.cfg.VerifyInterval
	s.cfg.IdleTimeout = to.cfg.IdleTimeout
	s.cfg.FullEvery, s.cfg.UnconfirmedFor, s.cfg.KeepHistory = to.cfg.FullEvery, to.cfg.UnconfirmedFor, to.cfg.KeepHistory
	s.mu.Unlock()
	if again {
		s.registration.row = nil // the row holds the former values
	}
	return true
}

// collect collects the result of a round. If a new configuration made it fail, it returns to
// the former one.
func (s *Service) collect(ctx context.Context) error {
	v := s.verification
	err := v.collect(ctx)
	switch {
	case err == nil:
	case v.fallback != nil && s.apply(*v.fallback):
		v.fallback = nil
		s.logUnusable(err)
		s.Refresh()
	case v.caps == nil:
		return fmt.Errorf("detect: %w", err)
	default:
		v.logFailure(err)
	}
	return nil
}

func (s *Service) logUnusable(err error) {
	s.log.Error("the new configuration cannot be used; the former one stays", "error", err)
}
