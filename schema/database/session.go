package database

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// sessions is a connector to Postgres whose connections limit their transactions and prepare statements.
type sessions struct {
	driver.Connector
	// limited is false if the URL has a limit for transactions.
	limited bool
	// unprepared means that no statement is prepared: the URL chooses how they run, or a pooler is in between.
	unprepared atomic.Bool
}

// newSessions returns the connector. chosen means that the URL chooses how statements run.
func newSessions(cfg *pgx.ConnConfig, chosen bool) *sessions {
	s := &sessions{Connector: &concealedConnector{stdlib.GetConnector(*cfg)}, limited: cfg.RuntimeParams[idleInTransaction] == ""}
	s.unprepared.Store(chosen)
	return s
}

// Connect implements driver.Connector.
func (s *sessions) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if c, ok := conn.(*stdlib.Conn); ok {
		return &session{pgxConn: c, sessions: s}, err
	}
	return conn, err
}

// pgxConn is an alias, so that session has the method Conn and no field of that name.
type pgxConn = stdlib.Conn

// A session is a connection of the pool.
type session struct {
	*pgxConn
	*sessions
	// since is the time from which the session keeps prepared statements.
	since time.Time
}
