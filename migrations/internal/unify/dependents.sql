-- The objects of direct, and views on them, with the SQL that drops each. Views on other views come before these.
WITH RECURSIVE {direct},
-- Rules that use it, and rules that use the views which such rules define.
viewed AS (
  SELECT r.oid AS rule, r.ev_class AS relation, 1 AS depth FROM direct d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  UNION
  SELECT r.oid, r.ev_class, v.depth + 1 FROM viewed v JOIN pg_class c ON c.oid = v.relation AND c.relkind IN ('v', 'm')
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_rewrite r ON r.oid = d.objid WHERE r.ev_class <> c.oid AND v.depth < 50
),
-- The privileges on relations, their columns and functions, as statements in which {it} stands for the
-- object.
granted AS (
  SELECT g.class, g.oid, string_agg(format(E'\nGRANT %s%s ON {it} TO %s%s;', x.privilege_type, g.columns,
    CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
    CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), '' ORDER BY g.columns, x.grantee, x.privilege_type) AS sql
  FROM (
    SELECT 'pg_class'::regclass AS class, c.oid, c.relowner AS owner, '' AS columns, c.relacl AS acl FROM pg_class c WHERE c.oid IN (SELECT relation FROM viewed)
    UNION ALL SELECT 'pg_class'::regclass, c.oid, c.relowner, format(' (%I)', a.attname), a.attacl
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid IN (SELECT relation FROM viewed) AND NOT a.attisdropped
    UNION ALL SELECT 'pg_proc'::regclass, p.oid, p.proowner, '', p.proacl FROM pg_proc p WHERE p.oid IN (SELECT objid FROM direct WHERE classid = 'pg_proc'::regclass)
  ) g CROSS JOIN aclexplode(g.acl) x WHERE x.grantee <> g.owner GROUP BY g.class, g.oid
),
-- sql drops the object, and was creates it again.
named AS (
  SELECT 0 AS kind, -max(v.depth) AS place, 'view ' || c.oid::regclass AS object,
    format('DROP %s %s;', k.kind, c.oid::regclass) AS sql,
    format('CREATE %s %s%s AS %s', k.kind, c.oid::regclass, ' WITH (' || array_to_string(c.reloptions, ', ') || ')', pg_get_viewdef(c.oid))
      || CASE WHEN pg_get_userbyid(c.relowner) = current_user THEN '' ELSE format(E'\nALTER %s %s OWNER TO %I;', k.kind, c.oid::regclass, pg_get_userbyid(c.relowner)) END
      || coalesce((SELECT string_agg(format(E'\n%s;', pg_get_indexdef(i.indexrelid)), '' ORDER BY i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid), '')
      || coalesce((SELECT string_agg(format(E'\n%s', pg_get_ruledef(r.oid)), '' ORDER BY r.oid) FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'), '')
      || coalesce((SELECT string_agg(format(E'\n%s;', pg_get_triggerdef(t.oid)), '' ORDER BY t.oid) FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal), '')
      || coalesce((SELECT replace(g.sql, '{it}', c.oid::regclass::text) FROM granted g WHERE g.class = 'pg_class'::regclass AND g.oid = c.oid), '')
      || coalesce(E'\nCOMMENT ON ' || k.kind || ' ' || c.oid::regclass || ' IS ' || quote_literal(obj_description(c.oid, 'pg_class')) || ';', '') AS was
  FROM viewed v JOIN pg_class c ON c.oid = v.relation AND c.relkind IN ('v', 'm')
    CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind) k GROUP BY c.oid, c.relkind, c.relowner, c.reloptions, k.kind
  UNION ALL
  SELECT 1, 0, 'rule ' || r.rulename || ' of table ' || c.oid::regclass, format('DROP RULE %I ON %s;', r.rulename, c.oid::regclass), pg_get_ruledef(r.oid)
  FROM viewed v JOIN pg_class c ON c.oid = v.relation AND c.relkind NOT IN ('v', 'm') JOIN pg_rewrite r ON r.oid = v.rule
  UNION ALL
  SELECT 2, 0, 'policy ' || p.polname || ' of table ' || p.polrelid::regclass, format('DROP POLICY %I ON %s;', p.polname, p.polrelid::regclass),
    format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.polname, p.polrelid::regclass, CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
      CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
      (SELECT string_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END, ', ') FROM unnest(p.polroles) o))
      || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '') || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') || ';'
  FROM direct d JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
  UNION ALL
  SELECT 2, 0, 'trigger ' || t.tgname || ' of table ' || t.tgrelid::regclass, format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass),
    pg_get_triggerdef(t.oid) || ';' || CASE t.tgenabled WHEN 'O' THEN '' ELSE format(E'\nALTER TABLE %s %s TRIGGER %I;', t.tgrelid::regclass,
      CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, t.tgname) END
  FROM direct d JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
  UNION ALL
  SELECT 3, 0, 'column ' || a.attrelid::regclass || '.' || a.attname, format('ALTER TABLE %s ALTER COLUMN %I DROP %s;',
    a.attrelid::regclass, a.attname, CASE a.attgenerated WHEN '' THEN 'DEFAULT' ELSE 'EXPRESSION' END),
    CASE a.attgenerated WHEN '' THEN format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s;', a.attrelid::regclass, a.attname, pg_get_expr(f.adbin, f.adrelid))
      ELSE format('ALTER TABLE %1$s DROP COLUMN %2$I, ADD COLUMN %2$I %3$s GENERATED ALWAYS AS (%4$s) STORED;',
        a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(f.adbin, f.adrelid)) END
  FROM direct d JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
  WHERE NOT EXISTS (SELECT FROM direct x JOIN pg_class c ON c.oid = x.objid AND c.reloftype <> 0
    WHERE x.classid = 'pg_class'::regclass AND x.objid = a.attrelid AND x.objsubid = a.attnum)
  UNION ALL
  SELECT 4, 0, 'statistics ' || s.stxname, format('DROP STATISTICS %I.%I;', n.nspname, s.stxname), pg_get_statisticsobjdef(s.oid) || ';'
  FROM direct d JOIN pg_statistic_ext s ON d.classid = 'pg_statistic_ext'::regclass AND s.oid = d.objid JOIN pg_namespace n ON n.oid = s.stxnamespace
  UNION ALL
  -- JSON is used because columns and conditions do not exist in every version of Postgres.
  SELECT 4, 0, 'publication ' || p.pubname, format('ALTER PUBLICATION %I DROP TABLE %s;', p.pubname, c.oid::regclass),
    format('ALTER PUBLICATION %I ADD TABLE %s%s%s;', p.pubname, c.oid::regclass,
      (SELECT ' (' || string_agg(quote_ident(e), ', ') || ')' FROM jsonb_array_elements_text(to_jsonb(t)->'attnames') e), ' WHERE (' || (to_jsonb(t)->>'rowfilter') || ')')
  FROM direct d JOIN pg_publication_rel r ON d.classid = 'pg_publication_rel'::regclass AND r.oid = d.objid JOIN pg_publication p ON p.oid = r.prpubid
    JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_publication_tables t ON t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname
  UNION ALL
  SELECT 4, 0, 'constraint ' || c.conname, format('ALTER TABLE %s DROP CONSTRAINT %I;', c.conrelid::regclass, c.conname),
    format('ALTER TABLE %s ADD CONSTRAINT %I %s;', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
  FROM direct d JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid WHERE c.conrelid <> 0
  UNION ALL
  SELECT 5, 0, 'index ' || c.oid::regclass, format('DROP INDEX %s;', c.oid::regclass), pg_get_indexdef(c.oid) || ';'
  FROM direct d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('i', 'I')
  UNION ALL
  SELECT 5, 0, pg_describe_object(d.classid, d.objid, 0), format('DROP CAST (%s AS %s);', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
    format('CREATE CAST (%s AS %s) %s%s;', format_type(c.castsource, NULL), format_type(c.casttarget, NULL),
      CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END,
      CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END)
  FROM (SELECT DISTINCT classid, objid FROM direct WHERE classid = 'pg_cast'::regclass) d JOIN pg_cast c ON c.oid = d.objid
  UNION ALL
  -- Columns that are inherited change with their parent's, those of typed tables with their type's.
  SELECT 6, 0, 'column ' || c.oid::regclass || '.' || a.attname,
    CASE WHEN f.expression IS NULL THEN '' ELSE format(E'ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT;\n', c.oid::regclass, a.attname) END
      || format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%3$s;', c.oid::regclass, a.attname, plain.type),
    format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%3$s;', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod))
      || CASE WHEN f.expression IS NULL THEN '' ELSE format(E'\nALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s;', c.oid::regclass, a.attname, f.expression) END
  FROM direct d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('r', 'p', 'f') AND c.reloftype = 0
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (SELECT CASE t.typcategory WHEN 'A' THEN 'text[]' ELSE 'text' END AS type) plain
    LEFT JOIN LATERAL (SELECT pg_get_expr(adbin, adrelid) AS expression FROM pg_attrdef WHERE adrelid = c.oid AND adnum = a.attnum) f ON true
  WHERE a.attinhcount = 0 OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid AND h.inhparent = {table})
  UNION ALL
  SELECT 6, 1, 'column ' || c.oid::regclass || '.' || a.attname,
    coalesce(u.sql, '') || format('ALTER TYPE %s ALTER ATTRIBUTE %I TYPE %s CASCADE;', c.oid::regclass, a.attname, CASE t.typcategory WHEN 'A' THEN 'text[]' ELSE 'text' END),
    format('ALTER TYPE %s ALTER ATTRIBUTE %I TYPE %s CASCADE;', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod)) || coalesce(u.was, '')
  FROM direct d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'c'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (
      SELECT string_agg(sql, '') AS sql, string_agg(was, '') AS was FROM (
        SELECT format(E'ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT;\n', y.oid::regclass, b.attname) AS sql,
          format(E'\nALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s;', y.oid::regclass, b.attname, pg_get_expr(f.adbin, f.adrelid)) AS was
        FROM pg_class y JOIN pg_attribute b ON b.attrelid = y.oid AND b.attname = a.attname JOIN pg_attrdef f ON f.adrelid = y.oid AND f.adnum = b.attnum
        WHERE y.reloftype = c.reltype
        UNION ALL
        SELECT format(E'ALTER TABLE %1$s ALTER COLUMN %2$I TYPE text USING %2$I::text;\n', y.oid::regclass, b.attname),
          format(E'\nALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%3$s;', y.oid::regclass, b.attname, format_type(b.atttypid, b.atttypmod))
        FROM pg_attribute b JOIN pg_class y ON y.oid = b.attrelid AND y.relkind IN ('r', 'p') JOIN pg_type ct ON ct.typrelid = c.oid
        WHERE b.atttypid IN (ct.oid, ct.typarray) AND b.attinhcount = 0 AND NOT b.attisdropped) e) u
  UNION ALL
  -- Aggregates depend on functions.
  SELECT 7, CASE p.prokind WHEN 'a' THEN 0 ELSE 1 END, 'function ' || p.oid::regprocedure, coalesce((SELECT string_agg(format(E'DROP TRIGGER %I ON %s;\n', t.tgname, t.tgrelid::regclass), '')
      FROM pg_trigger t WHERE t.tgfoid = p.oid AND NOT t.tgisinternal AND NOT EXISTS (SELECT FROM direct x WHERE x.classid = 'pg_trigger'::regclass AND x.objid = t.oid)), '')
    || format('DROP %s %s;', k.kind, k.name),
    CASE p.prokind WHEN 'a' THEN (
      SELECT format('CREATE AGGREGATE %s (SFUNC = %s, STYPE = %s', k.name, g.aggtransfn, format_type(g.aggtranstype, NULL))
        || CASE WHEN g.aggfinalfn = 0 THEN '' ELSE ', FINALFUNC = ' || g.aggfinalfn || CASE WHEN g.aggfinalextra THEN ', FINALFUNC_EXTRA' ELSE '' END END
        || CASE WHEN g.aggcombinefn = 0 THEN '' ELSE ', COMBINEFUNC = ' || g.aggcombinefn END
        || coalesce(', INITCOND = ' || quote_literal(g.agginitval), '')
        || CASE p.proparallel WHEN 's' THEN ', PARALLEL = SAFE' WHEN 'r' THEN ', PARALLEL = RESTRICTED' ELSE '' END || ');'
      FROM pg_aggregate g WHERE g.aggfnoid = p.oid)
    ELSE rtrim(pg_get_functiondef(p.oid), E'\n') || ';' END
    || CASE WHEN pg_get_userbyid(p.proowner) = current_user THEN '' ELSE format(E'\nALTER %s %s OWNER TO %I;', k.kind, k.name, pg_get_userbyid(p.proowner)) END
    || CASE WHEN p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) x WHERE x.grantee = 0) THEN '' ELSE format(E'\nREVOKE ALL ON %s %s FROM PUBLIC;', k.routine, k.name) END
    || coalesce((SELECT replace(g.sql, '{it}', k.routine || ' ' || replace(k.name, '(*)', '()')) FROM granted g WHERE g.class = 'pg_proc'::regclass AND g.oid = p.oid), '')
    || coalesce((SELECT string_agg(format(E'\n%s;', pg_get_triggerdef(t.oid)), '') FROM pg_trigger t
      WHERE t.tgfoid = p.oid AND NOT t.tgisinternal AND NOT EXISTS (SELECT FROM direct x WHERE x.classid = 'pg_trigger'::regclass AND x.objid = t.oid)), '')
  FROM (SELECT DISTINCT objid FROM direct WHERE classid = 'pg_proc'::regclass) d JOIN pg_proc p ON p.oid = d.objid
    CROSS JOIN LATERAL (SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END AS kind,
      CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS routine,
      CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN replace(p.oid::regprocedure::text, '()', '(*)') ELSE p.oid::regprocedure::text END AS name) k
  UNION ALL
  SELECT 8, 0, 'type ' || format_type(t.oid, NULL), coalesce(u.sql, '') || format('DROP TYPE %s;', format_type(t.oid, NULL)),
    CASE t.typtype WHEN 'd' THEN format('CREATE DOMAIN %s AS %s', format_type(t.oid, NULL), format_type(t.typbasetype, t.typtypmod))
        || coalesce(' DEFAULT ' || t.typdefault, '') || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
        || coalesce((SELECT string_agg(format(' CONSTRAINT %I %s', c.conname, pg_get_constraintdef(c.oid)), '') FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'), '') || ';'
      WHEN 'r' THEN (SELECT format('CREATE TYPE %s AS RANGE (SUBTYPE = %s);', format_type(t.oid, NULL), format_type(r.rngsubtype, NULL)) FROM pg_range r WHERE r.rngtypid = t.oid) END
    || coalesce(u.was, '')
  FROM (SELECT DISTINCT objid FROM direct WHERE classid = 'pg_type'::regclass) d JOIN pg_type t ON t.oid = d.objid
    CROSS JOIN LATERAL (
      SELECT string_agg(format(E'ALTER TABLE %1$s ALTER COLUMN %2$I TYPE text USING %2$I::text;\n', a.attrelid::regclass, a.attname), '') AS sql,
        string_agg(format(E'\nALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%3$s;', a.attrelid::regclass, a.attname, format_type(t.oid, NULL)), '') AS was
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
      WHERE a.atttypid = t.oid AND NOT a.attisdropped AND a.attinhcount = 0) u
  UNION ALL
  SELECT 9, 0, pg_describe_object(d.classid, d.objid, d.objsubid), '-- drop it: ' || pg_describe_object(d.classid, d.objid, d.objsubid), NULL
  FROM direct d WHERE d.classid NOT IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_attrdef'::regclass, 'pg_cast'::regclass,
    'pg_statistic_ext'::regclass, 'pg_publication_rel'::regclass, 'pg_constraint'::regclass, 'pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass)
)
SELECT object, {reason} AS reason, sql || coalesce(E'\n-- it was: ' || replace(was, E'\n', E'\n-- '), '') AS sql
FROM (SELECT DISTINCT ON (object) * FROM named ORDER BY object, kind DESC) n ORDER BY kind, place, object
