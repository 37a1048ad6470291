package hostcmd

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/runtime/host"
)

// lostFile returns a function that reports why a database file will not come back: it was
// replaced or removed, or its error is permanent. The function is nil for a server, which may
// always come back, and in memory.
func lostFile(ctx context.Context, db *bun.DB) (func(error) error, error) {
	if db.Dialect().Name() != dialect.SQLite {
		return nil, nil
	}
	var path string
	if err := db.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path); err != nil || path == "" {
		return nil, err
	}
	opened, err := host.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the database file: %w", err)
	}
	return func(failed error) error {
		now, err := host.Stat(path)
		switch {
		case errors.Is(err, host.ErrHangs):
			return nil
		case err != nil:
			return fmt.Errorf("the database file is gone: %w; bring it back, or start again for a new one", err)
		case !os.SameFile(opened, now):
			return fmt.Errorf("the database file %s was replaced; start again to use the one that is there now", path)
		case failed != nil && isPermanent(failed):
			return fmt.Errorf("use database file %s: %w", path, failed)
		}
		return nil
	}, nil
}
