package main

import (
	"context"
	"fmt"

	"github.com/attune-go/attune/cmd/internal/cli"
)

// sourceToAsk opens what answers a command: the server of --server, else the database as openToAsk
// does.
func sourceToAsk(ctx context.Context, env *cli.Env) (source, error) {
	return sourceOr(ctx, env, openToAsk)
}

// sourceToLook works like sourceToAsk for a command that writes nothing. The database need not be
// migrated.
func sourceToLook(ctx context.Context, env *cli.Env) (source, error) {
	return sourceOr(ctx, env, openToLook)
}

func sourceOr(ctx context.Context, env *cli.Env, open func(context.Context, *cli.Env) (*cli.Database, error)) (source, error) {
	if url := serverOf(env); url != "" {
		return connect(ctx, env, url)
	}
	db, err := open(ctx, env)
	if err != nil {
		return nil, err
	}
	return inDatabase(db), nil
}

// openToAsk opens the database for a command about workers, and prints a note if this login
// may see only some of them.
func openToAsk(ctx context.Context, env *cli.Env) (*cli.Database, error) {
	db, err := env.OpenNamed(ctx)
	return noting(ctx, env, db, err)
}

// openToLook works like openToAsk for a command that writes nothing. The database need not be
// migrated.
func openToLook(ctx context.Context, env *cli.Env) (*cli.Database, error) {
	db, err := env.OpenToLook(ctx)
	return noting(ctx, env, db, err)
}

func noting(ctx context.Context, env *cli.Env, db *cli.Database, err error) (*cli.Database, error) {
	if err != nil {
		return nil, err
	}
	limit, err := db.Store.Workers.RowLimit(ctx)
	if err != nil {
		_ = db.Close() // nothing was written
		return nil, err
	}
	switch {
	case limit == nil:
	case limit.Own:
		env.Note(fmt.Sprintf("the login %q sees its own rows only; a member of attune_reader sees all (docs/roles.sql)", limit.User))
	default:
		env.Note(fmt.Sprintf("row-level security may hide workers from the login %q", limit.User))
	}
	return db, nil
}
