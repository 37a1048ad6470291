-- The part of a WITH that finds what uses the columns {numbers} of table {table}, or the enum {enum}, and would
-- keep them from being dropped, as direct.
goes AS (
  -- the default, the indexes and the constraints of the column go with it
  SELECT 'pg_attrdef'::regclass::oid AS class, oid FROM pg_attrdef WHERE adrelid = {table} AND adnum IN ({numbers})
  UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = {table}
  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid = {table} OR {keys_go} AND confrelid = {table}
  UNION ALL SELECT 'pg_type'::regclass, typarray FROM pg_type WHERE oid = {enum}
  -- and the guards of metadata were dropped before
  UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE tgname LIKE 'attune\_guard\_%'
),
direct AS (
  SELECT d.classid, d.objid, d.objsubid FROM pg_depend d
  WHERE d.deptype IN ('n', 'a')
    AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = {table} AND d.refobjsubid IN ({numbers})
      OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT {enum} UNION SELECT typarray FROM pg_type WHERE oid = {enum}))
    AND NOT (d.classid = 'pg_class'::regclass AND d.objid = {table})
    AND NOT EXISTS (SELECT FROM goes g WHERE g.class = d.classid AND g.oid = d.objid)
  UNION
  SELECT 'pg_proc'::regclass, f.oid, 0 FROM ({functions}) f (oid)
)
