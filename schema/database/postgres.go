package database

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

const (
	connectTimeout = 5 * time.Second
	// postgresMaxConns bounds the connections of a pool, and those that it keeps for idleTime: a server under load would
	// else connect anew for many of its statements.
	postgresMaxConns = 8
	idleTime         = 5 * time.Minute
)

// sessionSettings are set for each connection. A database may have another default, with which
// the driver cannot read times or write texts. Poolers know these settings.
var sessionSettings = map[string]string{
	"application_name": "attune", "datestyle": "ISO", "standard_conforming_strings": "on",
}

func openPostgres(ctx context.Context, url string) (*bun.DB, error) {
	cfg, chosen, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	sqldb := sql.OpenDB(newSessions(cfg, chosen))
	sqldb.SetMaxOpenConns(postgresMaxConns)
	sqldb.SetMaxIdleConns(postgresMaxConns)
	sqldb.SetConnMaxIdleTime(idleTime)

	if err := sqldb.PingContext(ctx); err != nil {
		_ = sqldb.Close() // the ping's error counts
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, connectFault(cfg, err)
	}
	return bun.NewDB(sqldb, pgdialect.New()), nil
}

// A concealedConnector hides the password when fmt prints a pool: fmt does not follow a pointer
// within a value.
type concealedConnector struct{ driver.Connector }

// Driver returns a driver that knows the pool's limit of idle connections.
func (c *concealedConnector) Driver() driver.Driver { return postgresDriver{c.Connector.Driver()} }

// postgresDriver marks a pool that Open opened, for pool.Rest.
type postgresDriver struct{ driver.Driver }

// MaxIdleConns returns the pool's limit of idle connections.
func (postgresDriver) MaxIdleConns() int { return postgresMaxConns }

// postgresConfig parses the URL and adds attune's defaults. It does not return errors of
// pgx as they are, because they quote the URL. chosen reports whether the URL says how statements run.
func postgresConfig(url string) (cfg *pgx.ConnConfig, chosen bool, err error) {
	if err := checkUserPart(url); err != nil {
		return nil, false, err
	}
	parsed, err := neturl.Parse(url)
	if err != nil {
		return nil, false, unreadableURL(url, err)
	}
	if !strings.HasPrefix(url, parsed.Scheme+"://") {
		return nil, false, fmt.Errorf("%w: // is missing after %s:; %s", ErrURL, parsed.Scheme, forms)
	}
	cfg, err = pgx.ParseConfig(url)
	if err != nil {
		text := err.Error()
		if _, after, ok := strings.Cut(text, "`: "); ok {
			text = after
		}
		return nil, false, fmt.Errorf("%w: %s", ErrURL, scrub(text, url))
	}

	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	lookup, timeout := cfg.LookupFunc, cfg.ConnectTimeout
	cfg.LookupFunc = func(ctx context.Context, host string) ([]string, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return lookup(ctx, host)
	}
	for name, value := range sessionSettings {
		if cfg.RuntimeParams[name] == "" {
			cfg.RuntimeParams[name] = value
		}
	}
	chosen = parsed.Query().Has("default_query_exec_mode")
	if !chosen {
		// bun writes arguments into the statement, so most texts are new. Preparing them would
		// cost a round trip and fill the cache for nothing.
		cfg.DefaultQueryExecMode, cfg.StatementCacheCapacity = pgx.QueryExecModeSimpleProtocol, preparedAtMost
	}
	return cfg, chosen, nil
}

// checkUserPart refuses an @ that is not encoded. Otherwise a part of the password would
// count as the host, and be looked up and printed.
func checkUserPart(url string) error {
	_, rest, _ := strings.Cut(url, "://")
	rest, _ = cutQuery(rest)
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	if at := strings.Count(rest, "@"); at > 1 || at != strings.Count(authority, "@") {
		return fmt.Errorf("%w: the URL is ambiguous; %s", ErrURL, encoding)
	}
	return nil
}

const encoding = "in a user name, password or database name write " +
	"%40 for @, %2F for /, %3A for :, %3F for ?, %23 for # and %25 for %"

// unreadableURL returns an error for a URL that net/url cannot parse. It hides the error
// of net/url if the URL has a user part: that can quote pieces of a password.
func unreadableURL(url string, err error) error {
	_, secrets := redact(url)
	if len(secrets) > 0 || strings.Contains(url, "@") {
		return fmt.Errorf("%w: the URL cannot be parsed; %s; a port is a number", ErrURL, encoding)
	}
	var parse *neturl.Error
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return fmt.Errorf("%w: %w", ErrURL, err)
}

// connectFault returns the reason for a failed connection, with a remedy.
func connectFault(cfg *pgx.ConnConfig, err error) error {
	kind := Classify(err)
	if kind == nil {
		kind = ErrUnreachable
	}

	var pg *pgconn.PgError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &pg) && wrongParameter(pg.Code):
		return fmt.Errorf("%w: %w; correct or remove that parameter in the URL", ErrURL, pg)
	case errors.As(err, &pg):
		return fmt.Errorf("%w: %w; %s", kind, pg, serverHint(cfg, pg))
	case errors.As(err, &dns):
		return fmt.Errorf("%w: %w; check the host in the URL", kind, dns)
	case errors.As(err, &certificate):
		return fmt.Errorf("%w: %w; name the certificate authority with ?sslrootcert=FILE", ErrRefused, certificate)
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return fmt.Errorf("%w: %s does not accept TLS, and the URL requires it; "+
			"write ?sslmode=disable, or set ssl = on in the server's postgresql.conf", ErrRefused, address(cfg))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %s did not answer within %s; check host and port, or allow more with ?connect_timeout=SECONDS",
			kind, address(cfg), cfg.ConnectTimeout)
	}
	return fmt.Errorf("%w: %s; check that the server runs and listens on %s", kind, reasons(err), address(cfg))
}

// wrongParameter reports whether the server refused a parameter of the URL or its value.
// pgx passes parameters that it does not know on to the server.
func wrongParameter(code string) bool {
	switch code {
	case "42704", // undefined_object
		"42602", // invalid_name
		"22023": // invalid_parameter_value
		return true
	}
	return false
}

func serverHint(cfg *pgx.ConnConfig, pg *pgconn.PgError) string {
	switch code := pg.Code; {
	case code == "3D000":
		return fmt.Sprintf("create it with: createdb -h %s -p %d -U %s %s", word(cfg.Host), cfg.Port, word(cfg.User), word(cfg.Database))
	case strings.HasPrefix(code, "28") && strings.Contains(pg.Message, "no encryption"):
		return "if the server wants TLS, write ?sslmode=require; else check user and database in the URL, and the server's pg_hba.conf"
	case strings.HasPrefix(code, "28"):
		return "check user, password and database in the URL, and the server's pg_hba.conf"
	case code == "53300":
		return "the server has no free connection; raise its max_connections or try again later"
	case strings.HasPrefix(code, "57P"):
		return "the server is starting or stopping; try again in a moment"
	}
	return "see the server's log"
}

// plainWord matches a word that needs no quotes in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:][A-Za-z0-9_./:-]*$`)

func word(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func address(cfg *pgx.ConnConfig) string {
	_, addr := pgconn.NetworkAddress(cfg.Host, cfg.Port)
	return addr
}

// reasons returns pgx's failures, one for each address, on one line without repetitions.
func reasons(err error) string {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = connect.Unwrap()
	}
	var list []string
	seen := map[string]bool{}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if line = strings.TrimSpace(line); line != "" && !seen[line] {
			seen[line] = true
			list = append(list, line)
		}
	}
	return strings.Join(list, "; ")
}
