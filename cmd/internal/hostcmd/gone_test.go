package hostcmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
)

// TestGone tells what a database file does not come back from.
func TestGone(t *testing.T) {
	corrupt, full := fmt.Errorf("sweep: %w", database.ErrCorrupt), errors.New("database or disk is full")
	for name, one := range map[string]struct {
		do   func(path string) error
		used error
		want string
	}{
		"nothing":          {},
		"a full disk":      {used: full},
		"removed":          {do: os.Remove, want: "the database file is gone: "},
		"a folder renamed": {do: func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+"-moved") }, want: "the database file is gone: "},
		"replaced": {do: func(path string) error {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return errors.Join(os.WriteFile(path+".new", text, 0o600), os.Rename(path+".new", path))
		}, want: " was replaced; "},
		"corrupt": {used: corrupt, want: "use database file "},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "folder", "attune.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			db, err := database.Open(t.Context(), "sqlite:"+path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			lost, err := lostFile(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			if one.do != nil {
				if err := one.do(path); err != nil {
					t.Fatal(err)
				}
			}
			got := lost(one.used)
			if (got == nil) != (one.want == "") || got != nil && !strings.Contains(got.Error(), one.want) {
				t.Errorf("got %v, want %q", got, one.want)
			}
		})
	}
	if lost, err := lostFile(t.Context(), testdb.Postgres(t).DB); lost != nil || err != nil {
		t.Errorf("a server may always come back: %v", err)
	}
}
