package unify_test

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"
)

// dump returns everything in a database as sorted lines: its catalog, the output of pg_dump if
// there is a suitable one, and every row of every table. The order of columns does not matter.
func dump(t testing.TB, db *bun.DB, url string) []string {
	t.Helper()
	lines := append(catalogLines(t, db), rows(t, db)...)
	if out, err := exec.CommandContext(t.Context(), "pg_dump", "--schema-only", url).Output(); err == nil {
		for line := range strings.SplitSeq(string(out), "\n") {
			// Some servers stamp every column with a random pg_attver, which has no meaning here.
			if !strings.HasPrefix(line, `\restrict`) && !strings.HasPrefix(line, `\unrestrict`) && !strings.Contains(line, " SET (pg_attver=") {
				lines = append(lines, "pg_dump: "+strings.TrimSuffix(line, ","))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func catalogLines(t testing.TB, db bun.IDB) []string {
	t.Helper()
	var lines []string
	err := db.NewRaw(`
WITH n AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
c AS (SELECT c.*, n.nspname || '.' || c.relname AS name FROM pg_class c JOIN n ON n.oid = c.relnamespace)
SELECT concat_ws(' ', 'relation', name, relkind, pg_get_userbyid(relowner), relacl, relreplident, reloptions, relrowsecurity, relforcerowsecurity, obj_description(oid, 'pg_class')) FROM c
UNION ALL
SELECT concat_ws(' ', 'column', c.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attacl,
  a.attstattarget, ARRAY(SELECT o FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg_attver=%'), a.attstorage, a.attcollation, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
FROM c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm')
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
UNION ALL
SELECT concat_ws(' ', 'index', c.name, pg_get_indexdef(c.oid), i.indisreplident, i.indisclustered, obj_description(c.oid, 'pg_class'),
  (SELECT string_agg(a.attnum || '=' || a.attstattarget, ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid)) FROM c JOIN pg_index i ON i.indexrelid = c.oid WHERE relkind IN ('i', 'I')
UNION ALL
SELECT concat_ws(' ', 'constraint', c.name, k.conname, pg_get_constraintdef(k.oid), k.convalidated, obj_description(k.oid, 'pg_constraint'))
FROM pg_constraint k JOIN c ON c.oid = k.conrelid
UNION ALL
SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(g.oid), g.tgenabled) FROM pg_trigger g JOIN c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL
SELECT concat_ws(' ', 'policy', p.*) FROM pg_policies p
UNION ALL
SELECT concat_ws(' ', 'rule', r.*) FROM pg_rules r WHERE schemaname !~ '^pg_'
UNION ALL
SELECT concat_ws(' ', 'view', c.name, pg_get_viewdef(c.oid)) FROM c WHERE relkind IN ('v', 'm')
UNION ALL
SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(oid)) FROM pg_statistic_ext
UNION ALL
SELECT concat_ws(' ', 'publication', to_jsonb(t) - 'rowfilter') FROM pg_publication_tables t
UNION ALL
SELECT concat_ws(' ', 'cast', castsource::regtype, casttarget::regtype, castfunc::regproc, castcontext, castmethod) FROM pg_cast WHERE oid >= 16384
UNION ALL
SELECT concat_ws(' ', 'type', n.nspname, t.typname, pg_get_userbyid(t.typowner), t.typacl, obj_description(t.oid, 'pg_type'),
  (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
FROM pg_type t JOIN n ON n.oid = t.typnamespace
UNION ALL
SELECT concat_ws(' ', 'function', p.oid::regprocedure, md5(p.prosrc), p.prokind, p.proacl, p.proowner::regrole) FROM pg_proc p JOIN n ON n.oid = p.pronamespace
UNION ALL
SELECT 'schema ' || nspname FROM n`).Scan(context.Background(), &lines)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// rows returns every row of every table.
func rows(t testing.TB, db bun.IDB) []string {
	t.Helper()
	ctx := context.Background()
	var tables []string
	err := db.NewRaw(`SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`).Scan(ctx, &tables)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, table := range tables {
		var columns, found []string
		err := db.NewRaw(`SELECT quote_ident(attname) FROM pg_attribute
WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`, table).Scan(ctx, &columns)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.NewRaw(`SELECT ROW(`+strings.Join(columns, ", ")+`)::text FROM ONLY `+table).Scan(ctx, &found); err != nil {
			t.Fatal(err)
		}
		for _, row := range found {
			all = append(all, table+": "+row)
		}
	}
	return all
}
