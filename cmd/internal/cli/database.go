package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema/database"
	_ "github.com/attune-go/attune/schema/database/sqlite" // the embedded database
	"github.com/attune-go/attune/schema/store"
)

// A Database is an open database that this program can use.
type Database struct {
	*bun.DB
	// Name is its URL without the password.
	Name string
	// Schema is the schema that holds the tables.
	Schema string
	Store  *store.Store
	// Pending is why the database, which is only looked at, is not migrated; nil if it is.
	Pending error

	config store.Config
}

// URL returns the database that the command line, the environment or the config
// file names, or an empty text.
func (e *Env) URL() string {
	if e.Globals.Database != "" {
		return e.Globals.Database
	}
	return e.File.Database.URL
}

// schemaName returns the schema that was asked for, or an empty text.
func (e *Env) schemaName() string {
	if e.Globals.Schema != "" {
		return e.Globals.Schema
	}
	return e.File.Database.Schema
}

// Open opens the database at url and checks that this program can use it.
func (e *Env) Open(ctx context.Context, url string) (*Database, error) {
	return e.open(ctx, url, false)
}

// open opens a database. looking also accepts a database that is not migrated, if it has
// tables to look at.
func (e *Env) open(ctx context.Context, url string, looking bool) (*Database, error) {
	db, err := e.OpenUnchecked(ctx, url)
	if err != nil {
		return nil, err
	}
	m, err := e.Migrator(db, migrations.Config{})
	if err == nil && url == database.Memory {
		err = e.prepare(ctx, db, m) // nobody else could
	}
	if err == nil {
		db.Schema, err = m.Check(ctx)
	}
	var pending *migrations.PendingError
	if looking && errors.As(err, &pending) {
		db.Pending, err = err, nil
	}
	if err == nil {
		err = db.readLayout(ctx)
	}
	if err == nil && db.Pending != nil && !db.config.Layout.HasTables() {
		err = db.Pending
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", db.Name, err), db.Close())
	}
	return db, nil
}

// OpenUnchecked opens the database at url as it is, for commands that migrate
// it. Schema and Store are not set. A file must be there: see Create.
func (e *Env) OpenUnchecked(ctx context.Context, url string) (*Database, error) {
	if path := filePath(url); path != "" {
		if _, err := host.Stat(path); errors.Is(err, host.ErrHangs) {
			return nil, hangs(url, err)
		} else if err != nil {
			return nil, fmt.Errorf("open database %s: %w; `attune migrate up --database %s` creates it", url, pathReason(err), url)
		}
	}
	db, err := database.OpenExisting(ctx, url)
	return e.opened(db, url, err)
}

// hangs returns the error for a database whose file does not answer.
func hangs(url string, err error) error {
	return fmt.Errorf("open database %s: %w; repair that file system, or name a database elsewhere", url, pathReason(err))
}

// Create works like OpenUnchecked, and creates the file of a SQLite database.
func (e *Env) Create(ctx context.Context, url string) (*Database, error) {
	if path := filePath(url); path != "" {
		if err := ownLink(path); err != nil {
			return nil, fmt.Errorf("open database %s: %w", url, err)
		}
	}
	db, err := database.Open(ctx, url)
	return e.opened(db, url, err)
}

func (e *Env) opened(db *bun.DB, url string, err error) (*Database, error) {
	if errors.Is(err, database.ErrURL) {
		return nil, e.Refused("database.url", err)
	}
	if err != nil {
		return nil, err
	}
	return &Database{DB: db, Name: database.Redact(url)}, nil
}

// Migrator returns the migrator of a database, for the schema that was asked for.
func (e *Env) Migrator(db *Database, cfg migrations.Config) (*migrations.Migrator, error) {
	cfg.Schema, cfg.Logger = e.schemaName(), e.Log
	return migrations.New(db.DB, cfg)
}

// filePath returns the file of a SQLite database, or an empty text.
func filePath(url string) string {
	scheme, path, _ := strings.Cut(url, ":")
	if !strings.EqualFold(scheme+":", embeddedScheme) || path == ":memory:" {
		return ""
	}
	return path
}

// ownLink refuses a symbolic link through which another file would become a
// database: a dangling link, or one that belongs to another user.
func ownLink(path string) error {
	info, err := os.Lstat(path)
	if link := err == nil && info.Mode()&fs.ModeSymlink != 0; !link {
		return nil // opening it says what else is wrong with it
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is a link to a file that does not exist; name that file itself", path)
	}
	if user, foreign := otherOwner(info); foreign {
		return fmt.Errorf("%s is a link that belongs to user %d; name the file itself", path, user)
	}
	return nil
}

// OpenNamed opens the database that was named, else the embedded file if it exists.
func (e *Env) OpenNamed(ctx context.Context) (*Database, error) {
	url, err := e.ExistingURL()
	if err != nil {
		return nil, err
	}
	return e.Open(ctx, url)
}

// OpenToLook works like OpenNamed for a command that writes nothing. The database need not
// be migrated: see Database.Pending.
func (e *Env) OpenToLook(ctx context.Context) (*Database, error) {
	url, err := e.ExistingURL()
	if err != nil {
		return nil, err
	}
	return e.open(ctx, url, true)
}

// OpenIfAny works like OpenToLook, and returns nil without a database.
func (e *Env) OpenIfAny(ctx context.Context) (*Database, error) {
	db, err := e.OpenToLook(ctx)
	if errors.Is(err, errNoDatabase) {
		return nil, nil
	}
	return db, err
}

var errNoDatabase = errors.New("no database is named: give --database, ATTUNE_DATABASE_URL, or database.url in the config file; " +
	"without one, `worker register` and `attune migrate up` create a file for this host alone")

// ExistingURL returns the database that was named, else the embedded file if it
// exists.
func (e *Env) ExistingURL() (string, error) {
	if url := e.URL(); url != "" {
		return url, nil
	}
	path, err := EmbeddedFile(e.Getenv)
	if err != nil {
		return "", errNoDatabase
	}
	if _, err := host.Stat(path); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return "", errNoDatabase
	}
	if err := ownPlace(path); err != nil {
		return "", err
	}
	return e.embedded(path, false), nil
}

const (
	embeddedScheme   = "sqlite:"
	databaseVariable = "ATTUNE_DATABASE_URL"
)

// EmbeddedFile returns the path of the database that is used when no other is named:
// a file under the user's state folder. It need not exist.
func EmbeddedFile(getenv func(string) string) (string, error) {
	dir := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", errors.New("no place for the embedded database: neither XDG_STATE_HOME nor HOME is an absolute path; " +
				"set one of them or give --database")
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "attune", "attune.db"), nil
}

// OpenToWrite opens the database for a process that registers: the one that was
// named, else the embedded file. A Postgres database is used as it is. A file is
// this host's own, so it is created, migrated and filled with the core pack where
// it lacks that; several processes that begin at once do so one after the other.
func (e *Env) OpenToWrite(ctx context.Context) (*Database, error) {
	url := e.URL()
	if url == "" {
		var err error
		if url, err = e.CreateEmbedded(); err != nil {
			return nil, err
		}
	}
	path := filePath(url)
	if path == "" {
		return e.Open(ctx, url)
	}
	if _, err := host.Stat(path); errors.Is(err, host.ErrHangs) {
		return nil, hangs(url, err)
	}
	unlock, err := lockFile(ctx, path+".lock")
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", url, err)
	}
	defer unlock()
	db, err := e.Create(ctx, url)
	if err != nil {
		return nil, err
	}
	m, err := e.Migrator(db, migrations.Config{})
	if err == nil {
		err = e.prepare(ctx, db, m)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", url, err)
	}
	return e.Open(ctx, url)
}

// prepare migrates a database that is this process's own, and loads the core
// pack where no runtime is defined: also after a first attempt was cut off.
func (e *Env) prepare(ctx context.Context, db *Database, m *migrations.Migrator) error {
	res, err := m.Up(ctx)
	if err != nil {
		return err
	}
	cfg := store.Config{Schema: res.Schema}
	some, err := store.New(db.DB, cfg).Runtimes.List(ctx, store.Page{Limit: 1})
	if err != nil || len(some) > 0 {
		return err
	}
	_, err = install.Load(ctx, db.DB, cfg, packs.Core(), install.Options{})
	return err
}

// CreateEmbedded makes the folder of the embedded file, and returns the file's URL.
func (e *Env) CreateEmbedded() (string, error) {
	path, err := EmbeddedFile(e.Getenv)
	if err == nil {
		err = ownPlace(path)
	}
	if err != nil {
		return "", err
	}
	_, absent := os.Lstat(path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("create the state folder for the embedded database: %w; "+
			"set XDG_STATE_HOME to a folder that can be written, or give --database", pathReason(err))
	}
	return e.embedded(path, absent != nil), nil
}

// ownPlace refuses an embedded file that others can change: nobody named it, so the
// owner of its folder would decide what is verified here. It also refuses a file that
// does not answer, with an error that wraps host.ErrHangs.
func ownPlace(path string) error {
	if err := openTo(path); err != nil {
		return fmt.Errorf("the embedded database %s is not used: %w; "+
			"or set HOME or XDG_STATE_HOME to a folder of yours, or give --database", path, err)
	}
	return nil
}

// openTo returns a *host.UnprotectedError if others can change a SQLite database or
// its journals, an error that wraps host.ErrHangs if it does not answer, else nil.
func openTo(path string) error {
	if err := unfit(path); err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(path) // it answers
	if err != nil {
		real = path
	}
	for _, file := range []string{real, real + "-wal", real + "-journal"} {
		if err := unfit(file); err != nil {
			return err
		}
	}
	return nil
}

// unfit returns the error of host.ProtectedPlace for a file. A file that cannot be
// opened passes: opening it reports that.
func unfit(file string) error {
	err := host.ProtectedPlace(file)
	var unprotected *host.UnprotectedError
	switch {
	case errors.As(err, &unprotected):
		return unprotected
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is a link that leads to no file", file)
	case errors.Is(err, host.ErrHangs):
		return err
	}
	return nil
}

// embedded returns the URL of the embedded file. It tells the user about the file
// when it is created and when the variable for another database is empty; else it
// writes to the log.
func (e *Env) embedded(path string, created bool) string {
	url := embeddedScheme + path
	text := fmt.Sprintf("using the embedded database %s, which knows this host only; --database names a shared one", Clean(url))
	_, empty := e.vars[databaseVariable] // set to a URL, it would be used
	switch {
	case empty:
		e.Err.Printf("%s is empty: %s\n", databaseVariable, text)
	case created:
		e.Err.Printf("%s\n", text)
	default:
		e.Log.Info(text)
	}
	return url
}

// pathReason shortens "mkdir /x: permission denied" to what differs.
func pathReason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}

// Others returns who else could change the file of the database that was named, and
// so what is verified on this host. It returns an empty text if nobody else could, or
// if the database is not a file.
func (e *Env) Others() string {
	path := filePath(e.URL())
	if path == "" {
		return ""
	}
	var unprotected *host.UnprotectedError
	if errors.As(openTo(path), &unprotected) {
		return unprotected.By
	}
	return ""
}

// IsEmbedded reports whether a database is a file.
func (d *Database) IsEmbedded() bool { return strings.HasPrefix(d.Name, embeddedScheme) }
