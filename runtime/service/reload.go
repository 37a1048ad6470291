package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/attune-go/attune/runtime/detect"
)

// settings are what may change while a service runs.
type settings struct {
	id  Identity
	cfg Config
}

// Reload gives a running service another configuration, and has it verify in
// full by it. It takes the identity's Type, Host and Port, the Detector, and of
// the intervals all but StatementTimeout; the rest stays as it was. Where the
// host cannot be verified by the new one, which is logged, the one before counts
// again. It may be called at any time.
//
// An error says what is wrong; nothing changes then.
func (s *Service) Reload(id Identity, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	s.mu.Lock()
	is := s.id
	if is.Name == id.Name && is.Role == id.Role {
		s.given = &settings{id, cfg}
	}
	s.mu.Unlock()
	if is.Name != id.Name || is.Role != id.Role {
		return fmt.Errorf("service: it runs as %s %q, and cannot become %s %q", is.Role, is.Name, id.Role, id.Name)
	}
	s.Refresh()
	return nil
}

// reload takes over what Reload was given, between two rounds.
func (s *Service) reload(context.Context) error {
	if s.running != nil {
		return nil
	}
	s.mu.Lock()
	given := s.given
	s.given = nil
	s.mu.Unlock()
	if given == nil {
		return nil
	}
	before := settings{s.id, s.cfg}
	if s.change(*given) && s.proven == nil {
		s.proven = &before
	}
	return nil
}

// change makes settings those that count, unless there is no detector by them.
func (s *Service) change(to settings) (ok bool) {
	if s.known.detector != nil {
		detector, err := to.cfg.Detector(s.known.defs, s.known.warnings)
		if err != nil {
			s.log.Error("the new configuration cannot be used; the one from before is", "error", err)
			return false
		}
		s.known.detector = detector
	}
	again := s.id != to.id || s.cfg.HeartbeatInterval != to.cfg.HeartbeatInterval
	s.mu.Lock()
	s.id = to.id
	s.cfg.Detector = to.cfg.Detector
	s.cfg.HeartbeatInterval, s.cfg.VerifyInterval = to.cfg.HeartbeatInterval, to.cfg.VerifyInterval
	s.cfg.IdleTimeout = to.cfg.IdleTimeout
	s.cfg.FullEvery, s.cfg.UnconfirmedFor, s.cfg.KeepHistory = to.cfg.FullEvery, to.cfg.UnconfirmedFor, to.cfg.KeepHistory
	s.mu.Unlock()
	s.away.most = s.cfg.HeartbeatInterval
	if again {
		s.row = nil // what it says of us is said anew
	}
	return true
}

// takeBack takes a new configuration back that the host could not be verified by,
// and reports whether there was one.
func (s *Service) takeBack(err error) bool {
	if s.proven == nil || !wrongConfig(err) || !s.change(*s.proven) {
		return false
	}
	s.proven = nil
	s.log.Error("the new configuration cannot be used; the one from before is", "error", err)
	s.Refresh()
	return true
}

// wrongConfig reports whether detection failed for how it is configured.
func wrongConfig(err error) bool {
	return errors.Is(err, detect.ErrConfig) || errors.Is(err, detect.ErrUnknownName)
}
