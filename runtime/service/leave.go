package service

import (
	"context"
	"errors"
	"time"

	"github.com/attune-go/attune/schema/store"
)

// leave is the last word: nothing runs on, and the row is inactive.
func (s *Service) leave(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if s.running != nil {
		s.running.end(context.Canceled)
		select {
		case <-s.results:
		case <-time.After(leaveTimeout):
			s.log.Warn("a look at this host does not end; leaving without it")
		}
		s.running = nil
	}
	s.noteRegistered(false)
	if !s.tried {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StatementTimeout)
	defer cancel()
	id, err := s.ownRow(ctx)
	if err == nil && id != 0 {
		err = s.db.Rows.Deactivate(ctx, id, s.cfg.Instance)
	}
	s.row, s.tried = nil, false
	switch {
	case err == nil && id == 0:
	case err == nil:
		s.log.Info("the row is inactive", "row", id)
	case errors.Is(err, store.ErrSuperseded), errors.Is(err, store.ErrNotFound):
		s.log.Info("the row is not ours any more", "reason", err)
	default:
		s.log.Error("the row could not be made inactive; it will be, as its heartbeats end", "error", err)
	}
}

// leaveTimeout is how long commands that are stopped, or a folder that does not
// answer, may hold up the end.
const leaveTimeout = 5 * time.Second

// ownRow is the id of this instance's row, 0 where it has none. A registration
// whose answer did not arrive may have made one.
func (s *Service) ownRow(ctx context.Context) (int64, error) {
	if s.row != nil {
		return s.row.ID, nil
	}
	row, err := s.db.Rows.ByIdentity(ctx, s.id.Role, s.id.Name)
	if err != nil {
		return 0, err
	}
	if row.Instance == nil || *row.Instance != s.cfg.Instance {
		return 0, nil
	}
	return row.ID, nil
}

func (s *Service) close() {
	if s.db != nil && s.db.Close != nil {
		if err := s.db.Close(); err != nil {
			s.log.Warn("close the database", "error", err)
		}
	}
}
