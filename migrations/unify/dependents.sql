-- What uses the columns {numbers} of table {table}, or the enum {enum}, and would
-- keep them from being dropped; views on views come before what they stand on.
WITH RECURSIVE goes AS (
  -- the default, the indexes and the constraints of the column go with it
  SELECT 'pg_attrdef'::regclass::oid AS class, oid FROM pg_attrdef WHERE adrelid = {table} AND adnum IN ({numbers})
  UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = {table}
  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid = {table} OR {keys_go} AND confrelid = {table}
  UNION ALL SELECT 'pg_type'::regclass, typarray FROM pg_type WHERE oid = {enum}
),
direct AS (
  SELECT d.classid, d.objid, d.objsubid FROM pg_depend d
  WHERE d.deptype IN ('n', 'a')
    AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = {table} AND d.refobjsubid IN ({numbers})
      OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT {enum} UNION SELECT typarray FROM pg_type WHERE oid = {enum}))
    AND NOT (d.classid = 'pg_class'::regclass AND d.objid = {table})
    AND NOT EXISTS (SELECT FROM goes g WHERE g.class = d.classid AND g.oid = d.objid)
  UNION
  SELECT 'pg_proc'::regclass, p.oid, 0 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND l.lanname NOT IN ('c', 'internal') AND p.prosrc ~* {words}
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
),
viewed AS (
  SELECT r.ev_class AS view, 1 AS depth FROM direct d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  UNION
  SELECT r.ev_class, v.depth + 1 FROM viewed v
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = v.view AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_rewrite r ON r.oid = d.objid WHERE r.ev_class <> v.view AND v.depth < 50
),
named AS (
  SELECT 0 AS kind, -max(v.depth) AS place, 'view ' || v.view::regclass AS object,
    format(E'DROP %s %s;\n-- it was: %s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, v.view::regclass,
      replace(pg_get_viewdef(v.view), E'\n', E'\n-- ')) AS sql
  FROM viewed v JOIN pg_class c ON c.oid = v.view WHERE c.relkind IN ('v', 'm') GROUP BY v.view, c.relkind
  UNION ALL
  SELECT 1, 0, 'rule ' || r.rulename || ' of table ' || c.oid::regclass, format('DROP RULE %I ON %s;', r.rulename, c.oid::regclass)
  FROM viewed v JOIN pg_class c ON c.oid = v.view AND c.relkind NOT IN ('v', 'm') JOIN pg_rewrite r ON r.ev_class = c.oid
  UNION ALL
  SELECT 2, 0, 'policy ' || p.polname || ' of table ' || p.polrelid::regclass, format('DROP POLICY %I ON %s;', p.polname, p.polrelid::regclass)
  FROM direct d JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
  UNION ALL
  SELECT 2, 0, 'trigger ' || t.tgname || ' of table ' || t.tgrelid::regclass,
    format(E'DROP TRIGGER %I ON %s;\n-- it was: %s;', t.tgname, t.tgrelid::regclass, pg_get_triggerdef(t.oid))
  FROM direct d JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
  UNION ALL
  SELECT 3, 0, 'column ' || a.attrelid::regclass || '.' || a.attname, format(E'ALTER TABLE %s ALTER COLUMN %I DROP %s;\n-- it was: %s',
    a.attrelid::regclass, a.attname, CASE a.attgenerated WHEN '' THEN 'DEFAULT' ELSE 'EXPRESSION' END, pg_get_expr(f.adbin, f.adrelid))
  FROM direct d JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
  UNION ALL
  SELECT 4, 0, 'statistics ' || s.stxname, format('DROP STATISTICS %I.%I;', n.nspname, s.stxname)
  FROM direct d JOIN pg_statistic_ext s ON d.classid = 'pg_statistic_ext'::regclass AND s.oid = d.objid JOIN pg_namespace n ON n.oid = s.stxnamespace
  UNION ALL
  SELECT 4, 0, 'publication ' || p.pubname, format('ALTER PUBLICATION %I DROP TABLE %s;', p.pubname, r.prrelid::regclass)
  FROM direct d JOIN pg_publication_rel r ON d.classid = 'pg_publication_rel'::regclass AND r.oid = d.objid JOIN pg_publication p ON p.oid = r.prpubid
  UNION ALL
  SELECT 4, 0, 'constraint ' || c.conname, format(E'ALTER TABLE %1$s DROP CONSTRAINT %2$I;\n-- it was: %3$s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
  FROM direct d JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid WHERE c.conrelid <> 0
  UNION ALL
  SELECT 5, 0, 'index ' || c.oid::regclass, format(E'DROP INDEX %s;\n-- it was: %s;', c.oid::regclass, pg_get_indexdef(c.oid))
  FROM direct d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('i', 'I')
  UNION ALL
  SELECT 6, 0, 'column ' || c.oid::regclass || '.' || a.attname, CASE c.relkind
    WHEN 'c' THEN format('ALTER TYPE %s ALTER ATTRIBUTE %I TYPE text;', c.oid::regclass, a.attname)
    ELSE coalesce((SELECT format(E'ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT;\n-- it was: %s\n', c.oid::regclass, a.attname, pg_get_expr(f.adbin, f.adrelid))
        FROM pg_attrdef f WHERE f.adrelid = c.oid AND f.adnum = a.attnum), '')
      || format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE text%3$s USING %2$I::text%3$s;', c.oid::regclass, a.attname,
        CASE t.typcategory WHEN 'A' THEN '[]' ELSE '' END) END
  FROM direct d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('r', 'p', 'f', 'c')
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid JOIN pg_type t ON t.oid = a.atttypid
  UNION ALL
  SELECT 7, 0, 'function ' || p.oid::regprocedure, coalesce((SELECT string_agg(format(E'DROP TRIGGER %I ON %s;\n-- it was: %s;\n',
      t.tgname, t.tgrelid::regclass, pg_get_triggerdef(t.oid)), '') FROM pg_trigger t
      WHERE t.tgfoid = p.oid AND NOT t.tgisinternal AND NOT EXISTS (SELECT FROM direct x WHERE x.classid = 'pg_trigger'::regclass AND x.objid = t.oid)), '')
    || format(E'DROP %s %s;\n-- create it again without what goes; it was:\n-- %s', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
      p.oid::regprocedure, CASE WHEN p.prokind IN ('f', 'p') THEN replace(pg_get_functiondef(p.oid), E'\n', E'\n-- ') ELSE 'an aggregate' END)
  FROM (SELECT DISTINCT objid FROM direct WHERE classid = 'pg_proc'::regclass) d JOIN pg_proc p ON p.oid = d.objid
  UNION ALL
  SELECT 8, 0, 'type ' || format_type(t.oid, NULL), coalesce((SELECT string_agg(format(E'ALTER TABLE %1$s ALTER COLUMN %2$I TYPE text USING %2$I::text;\n',
      a.attrelid::regclass, a.attname), '') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
      WHERE a.atttypid = t.oid AND NOT a.attisdropped), '') || format('DROP TYPE %s;', format_type(t.oid, NULL))
  FROM (SELECT DISTINCT objid FROM direct WHERE classid = 'pg_type'::regclass) d JOIN pg_type t ON t.oid = d.objid
  UNION ALL
  SELECT 9, 0, pg_describe_object(d.classid, d.objid, d.objsubid), '-- drop it: ' || pg_describe_object(d.classid, d.objid, d.objsubid)
  FROM direct d WHERE d.classid NOT IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_attrdef'::regclass,
    'pg_statistic_ext'::regclass, 'pg_publication_rel'::regclass, 'pg_constraint'::regclass, 'pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass)
)
SELECT object, {reason} AS reason, sql
FROM (SELECT DISTINCT ON (object) * FROM named ORDER BY object, kind DESC) n ORDER BY kind, place, object
