package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database/pool"
)

var (
	oddSeed  = flag.Uint64("odd-seed", 0, "the first seed of TestPlanAndUpAgree (default: random)")
	oddCount = flag.Uint64("odd-count", 12, "the number of databases that TestPlanAndUpAgree makes")
)

// TestPlanAndUpAgree: in random databases close to the shapes, what the plan accepts is applied, nothing of
// the platform's changes, its statements work as before, and down leaves what was. What up refuses, the plan
// refused in the same words and without a statement to run, and it is left as it was.
func TestPlanAndUpAgree(t *testing.T) {
	t.Parallel()
	isolated(t)
	first := *oddSeed
	if first == 0 {
		first = mathrand.Uint64N(1 << 32)
	}
	t.Logf("repeat with -odd-seed %d", first)
	db := testdb.EmptyPostgres(t)
	accepted := uint64(0)
	for seed := first; seed < first+*oddCount; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			if planAndUp(t, db, seed) {
				accepted++
			}
		})
	}
	t.Logf("%d of %d databases are accepted", accepted, *oddCount)
	if accepted == 0 && *oddCount >= 12 {
		t.Error("every database is refused")
	}
}

// changing matches statements that change somebody's objects or rows. TestStart counts what is made before main.
const changing = `\b((ALTER|DROP|CREATE) [A-Z]+|DELETE FROM|TRUNCATE|UPDATE \S+ SET) `

// planAndUp reports whether up accepts a random database.
func planAndUp(t *testing.T, db *testdb.DB, seed uint64) bool {
	r := mathrand.New(mathrand.NewPCG(seed, 7))
	shape := platform.Shapes()[r.IntN(4)]
	platform.Make(t, db, shape)
	login, url := migrating(t, db, r.IntN(2) == 0)
	done := oddities(t, db, r, login, 1+r.IntN(6))
	described := fmt.Sprintf("shape %s, migrating as %s:\n%s", shape, login, strings.Join(done, ";\n"))
	attune := func(args ...string) result {
		return run(t, append(args, "--database", url, "--schema", platform.Schema)...)
	}

	before, works := platform.Snapshot(t, db), platform.Works(t, db, shape)
	plan := attune("migrate", "plan")
	if diff := gocmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
		t.Errorf("the plan changed something (-before +after):\n%s\n%s", diff, described)
	}
	up := attune("migrate", "up")
	if plan.status != 0 || up.status != 0 {
		_, planned, _ := strings.Cut(plan.errOut, "plan for ")
		if strings.Contains(up.errOut, "default_transaction_read_only") && (plan.status != 0 || strings.Contains(plan.out, "up is refused here")) {
			return false
		}
		_, refused, _ := strings.Cut(up.errOut, "migrate ")
		if planned = strings.TrimSpace(planned); planned == "" || planned != strings.TrimSpace(strings.Replace(refused, " up: ", ": ", 1)) {
			t.Errorf("%s\nplan: exit %d\n%s\nup: exit %d\n%s", described, plan.status, plan.errOut, up.status, up.errOut)
		}
		if regexp.MustCompile(changing).MatchString(planned) {
			t.Errorf("the plan advises to change the platform:\n%s\n%s", planned, described)
		}
		if diff := gocmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
			t.Errorf("a refused up changed something (-before +after):\n%s\n%s", diff, described)
		}
		return false
	}
	if diff := gocmp.Diff(platform.Theirs(before), platform.Theirs(platform.Snapshot(t, db))); diff != "" {
		t.Errorf("up (-before +after):\n%s\n%s", diff, described)
	}
	if diff := gocmp.Diff(works, platform.Works(t, db, shape)); diff != "" {
		t.Errorf("the platform's statements (-before +after):\n%s\n%s", diff, described)
	}
	for _, command := range []string{"status", "plan"} {
		if got := attune("migrate", command, "--exit-code"); got.status != 0 {
			t.Errorf("%s\nmigrate %s: exit %d\n%s%s", described, command, got.status, got.out, got.errOut)
		}
	}
	for {
		got := attune("migrate", "down", "--force")
		if strings.Contains(got.errOut, "no migration is applied") {
			break
		}
		if got.status != 0 {
			t.Errorf("%s\ndown: exit %d\n%s", described, got.status, got.errOut)
			break
		}
	}
	if diff := gocmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
		t.Errorf("down (-before +after):\n%s\n%s", diff, described)
	}
	return true
}

// migrating makes a login for migrations. It owns the platform's tables, or it is a superuser.
func migrating(t *testing.T, db *testdb.DB, owner bool) (login, address string) {
	t.Helper()
	login = "odd_" + strings.ToLower(rand.Text()[:10])
	password := rand.Text()
	exec := func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := db.ExecContext(t.Context(), s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
	exec(`CREATE ROLE ` + login + ` LOGIN PASSWORD '` + password + `'`)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, err := db.ExecContext(ctx, `BEGIN READ WRITE; DROP OWNED BY `+login+` CASCADE; DROP ROLE `+login+`; DROP SCHEMA IF EXISTS attune CASCADE;
			DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET ALL', current_database()); END $$; COMMIT`)
		if err != nil {
			t.Fatal(err)
		}
		pool.Rest(db.DB)
	})
	if owner {
		exec(`DO $$ DECLARE s text; BEGIN FOR s IN
			SELECT format('ALTER SCHEMA attune OWNER TO ` + login + `')
			UNION ALL SELECT format('ALTER TABLE %s OWNER TO ` + login + `', oid::regclass) FROM pg_class WHERE relnamespace = 'attune'::regnamespace AND relkind = 'r'
			UNION ALL SELECT format('ALTER FUNCTION %s OWNER TO ` + login + `', oid::regprocedure) FROM pg_proc WHERE pronamespace = 'attune'::regnamespace
			UNION ALL SELECT format('ALTER TYPE %s OWNER TO ` + login + `', oid::regtype) FROM pg_type WHERE typnamespace = 'attune'::regnamespace AND typtype = 'e'
			LOOP EXECUTE s; END LOOP; END $$`)
	} else {
		exec(`ALTER ROLE ` + login + ` SUPERUSER`)
	}
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(login, password)
	return login, u.String()
}

// oddities applies n random statements that make the database different, and returns them.
func oddities(t *testing.T, db *testdb.DB, r *mathrand.Rand, login string, n int) (done []string) {
	t.Helper()
	var database string
	if err := db.NewRaw(`SELECT current_database()`).Scan(t.Context(), &database); err != nil {
		t.Fatal(err)
	}
	for range 20 * n {
		s := strings.NewReplacer("{role}", login, "{database}", database).Replace(platform.Oddity(r))
		err := db.RunInTx(t.Context(), nil, func(_ context.Context, tx bun.Tx) error {
			_, err := tx.Exec(s)
			return err
		})
		if err == nil {
			done = append(done, s)
		}
		if len(done) == n {
			break
		}
	}
	pool.Rest(db.DB) // new connections have the settings
	return done
}
