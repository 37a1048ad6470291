package version_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/version"
)

// keyedVersion is a version as a table holds it.
type keyedVersion struct {
	bun.BaseModel `bun:"table:keyed_version"`

	Version    string
	Key        string
	Prerelease bool
}

// TestKeysInDatabases: both databases have the order of Compare, and the
// predicate of Ranges finds what Match is true for.
func TestKeysInDatabases(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		// Its own collation would be another order.
		testKeys(t, testdb.EmptyPostgres(t), `text COLLATE "C"`)
	})
	t.Run("sqlite", func(t *testing.T) {
		testKeys(t, testdb.EmptySQLite(t), `text COLLATE BINARY`)
	})
}

func testKeys(t *testing.T, db *testdb.DB, keyType string) {
	g := newGenerator()
	versions := g.versions(t, 400)
	slices.SortFunc(versions, version.Version.Compare)
	versions = slices.Compact(versions)
	insert(t, db, versions, keyType)

	if diff := cmp.Diff(texts(versions), query(t, db, "TRUE")); diff != "" {
		t.Fatalf("order of keys (-Compare +database):\n%s", diff)
	}
	for range 100 {
		_, text := g.constraint()
		c := constraint(t, text)
		for _, prereleases := range []bool{false, true} {
			want := slices.DeleteFunc(slices.Clone(versions), func(v version.Version) bool { return !c.Match(v, prereleases) })
			predicate, args := where(c.Ranges(prereleases))
			if diff := cmp.Diff(texts(want), query(t, db, predicate, args...)); diff != "" {
				t.Fatalf("%q, pre-releases %v (-Match +database):\n%s", text, prereleases, diff)
			}
		}
	}
}

func insert(t *testing.T, db *testdb.DB, versions []version.Version, keyType string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE keyed_version (version text, key `+keyType+`, prerelease boolean)`); err != nil {
		t.Fatal(err)
	}
	var rows []keyedVersion
	for _, v := range versions {
		rows = append(rows, keyedVersion{Version: v.String(), Key: v.Key(), Prerelease: v.IsPrerelease()})
	}
	if _, err := db.NewInsert().Model(&rows).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// where spells ranges as the comment on Ranges says.
func where(ranges []version.Range) (predicate string, args []any) {
	alternatives := []string{"FALSE"}
	for _, r := range ranges {
		part := "key >= ?"
		args = append(args, r.From)
		if r.To != "" {
			part += " AND key < ?"
			args = append(args, r.To)
		}
		if r.ReleasesOnly {
			part += " AND NOT prerelease"
		}
		alternatives = append(alternatives, part)
	}
	return strings.Join(alternatives, " OR "), args
}

func query(t *testing.T, db *testdb.DB, predicate string, args ...any) []string {
	t.Helper()
	found := []string{}
	err := db.NewSelect().Model((*keyedVersion)(nil)).Column("version").
		Where(predicate, args...).OrderExpr("key").Scan(t.Context(), &found)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func texts(versions []version.Version) []string {
	list := []string{}
	for _, v := range versions {
		list = append(list, v.String())
	}
	return list
}
