package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

type tokensCmd struct {
	Create tokensCreateCmd `cmd:"" help:"Create a token of the HTTP API and print it."`
	List   tokensListCmd   `cmd:"" help:"List the tokens of the HTTP API, without their secrets."`
	Revoke tokensRevokeCmd `cmd:"" help:"End a token of the HTTP API."`
}

type tokensCreateCmd struct {
	Name    string        `arg:"" help:"Name of the token, for the list and the audit." placeholder:"NAME"`
	Scope   string        `help:"What the token allows: read; or operate, which includes read, documents and evidence, and changes of workers (default: ${default})." enum:"read,operate" default:"read" placeholder:"SCOPE"`
	Expires time.Duration `help:"How long the token is valid; with 0 it never expires (default: ${default})." default:"90d" placeholder:"TIME"`
}

// Help returns the longer text of --help.
func (c *tokensCreateCmd) Help() string {
	return "The token is printed this once: the database keeps a hash of it. Clients send it as `Authorization: Bearer TOKEN`."
}

// A createdToken is a new token with its text.
type createdToken struct {
	Token   string     `json:"token"`
	ID      int64      `json:"id"`
	Name    string     `json:"name"`
	Scope   string     `json:"scope"`
	Expires *time.Time `json:"expires"`
}

// Run creates a token.
func (c *tokensCreateCmd) Run(ctx context.Context, env *cli.Env) error {
	if c.Expires < 0 {
		return cli.Usagef("--expires must be at least 0, got %v", c.Expires)
	}
	db, err := openToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	text, row, err := api.NewToken(ctx, db.Store, c.Name, api.Scope(c.Scope), c.Expires)
	switch {
	case errors.Is(err, store.ErrInvalid):
		return cli.Usagef("the name must have from 1 to 255 bytes of text")
	case err != nil:
		return asOperator(db.Name, err)
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, createdToken{text, row.ID, row.Name, row.Scope, row.Expires})
	}
	env.Out.Printf("%s\n", text)
	until := "without an end"
	if row.Expires != nil {
		until = "until " + row.Expires.Format(time.RFC3339)
	}
	env.Note(fmt.Sprintf("valid %s for the scope %s; it is not shown again, and `attune tokens revoke %d` ends it", until, row.Scope, row.ID))
	return nil
}

type tokensListCmd struct{ cli.Output }

// A tokenRow is a token in a list.
type tokenRow struct {
	ID       int64      `json:"id"`
	Name     string     `json:"name"`
	Scope    string     `json:"scope"`
	Valid    bool       `json:"valid"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires"`
	Revoked  *time.Time `json:"revoked"`
	LastUsed *time.Time `json:"last_used"`
}

// Run lists the tokens.
func (c *tokensListCmd) Run(ctx context.Context, env *cli.Env) error {
	list, err := c.Rows(env, "id", "name", "scope", "valid", "created", "expires", "revoked", "last_used")
	if err != nil {
		return err
	}
	db, err := openToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	found, err := db.Store.Tokens.List(ctx)
	if err != nil {
		return asOperator(db.Name, err)
	}
	rows := make([]tokenRow, 0, len(found))
	for i := range found {
		t := &found[i]
		rows = append(rows, tokenRow{t.ID, t.Name, t.Scope, t.Valid, t.Created, t.Expires, t.Revoked, t.LastUsed})
	}
	if list != nil {
		return cli.PrintRows(list, rows)
	}
	if len(rows) == 0 {
		env.Out.Printf("no tokens; `attune tokens create NAME` makes one\n")
		return nil
	}
	printTokens(env.Out, rows)
	return nil
}

func printTokens(out *cli.Terminal, rows []tokenRow) {
	at := func(t *time.Time, otherwise string) string {
		if t == nil {
			return otherwise
		}
		return t.UTC().Format(time.RFC3339)
	}
	table := cli.NewTable("ID", "NAME", "SCOPE", "STATE", "EXPIRES", "LAST USED")
	for i := range rows {
		r := &rows[i]
		state := cli.Cell{Text: "valid", Style: cli.Green}
		switch {
		case r.Revoked != nil:
			state = cli.Cell{Text: "revoked", Style: cli.Dim}
		case !r.Valid:
			state = cli.Cell{Text: "expired", Style: cli.Yellow}
		}
		table.Row(cli.Cell{Text: fmt.Sprint(r.ID)}, cli.Cell{Text: r.Name, Style: cli.Cyan}, cli.Cell{Text: r.Scope}, state,
			cli.Cell{Text: at(r.Expires, "never")}, cli.Cell{Text: at(r.LastUsed, "never")})
	}
	table.Print(out)
}

type tokensRevokeCmd struct {
	ID int64 `arg:"" help:"Number of the token, which stands behind att_ and in the list." placeholder:"ID"`
}

// Run revokes a token.
func (c *tokensRevokeCmd) Run(ctx context.Context, env *cli.Env) error {
	db, err := openToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.Store.Tokens.Revoke(ctx, c.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("no token in %s has the id %d; `attune tokens list` shows all", db.Name, c.ID)
	case errors.Is(err, store.ErrRevoked):
		return fmt.Errorf("token %d of %s was revoked before", c.ID, db.Name)
	case err != nil:
		return asOperator(db.Name, err)
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, map[string]int64{"revoked": c.ID})
	}
	env.Out.Printf("revoked token %d; requests with it end within seconds\n", c.ID)
	return nil
}
