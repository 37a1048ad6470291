-- One row for each row of runtime: what it becomes, and in merged the new values of the surviving row.
WITH core_definition (ref, name, aliases, roles, verification) AS (
  {core_definitions}
),
{member},
-- Metadata as an object. A bare array names interpreters, and any other value is kept under legacy. The
-- name of a core runtime that needs no interpreter does not name one.
document AS MATERIALIZED (
  SELECT id, target, rank, members, CASE coalesce(jsonb_typeof(row->'distributions'), '')
    WHEN '' THEN '{}'::jsonb
    WHEN 'object' THEN row->'distributions'
    WHEN 'array' THEN (
      SELECT
        CASE WHEN count(*) FILTER (WHERE e.name) = 0 THEN '{}'::jsonb ELSE
          jsonb_build_object('verification', jsonb_build_object('commands',
            jsonb_agg(jsonb_build_object('binary', e.value, 'args', '["--version"]'::jsonb) ORDER BY e.n) FILTER (WHERE e.name))) END
        || CASE WHEN count(*) FILTER (WHERE NOT e.name) = 0 THEN '{}'::jsonb ELSE
          jsonb_build_object('legacy', jsonb_agg(e.value ORDER BY e.n) FILTER (WHERE NOT e.name)) END
      FROM (
        SELECT a.value, a.n, jsonb_typeof(a.value) = 'string' AND a.value #>> '{}' ~ '^[^[:space:]]+$'
          AND NOT EXISTS (SELECT FROM core_definition c WHERE c.ref = target AND c.verification->'always_available' = 'true'
            AND c.aliases ? lower(a.value #>> '{}')) AS name
        FROM jsonb_array_elements(row->'distributions') WITH ORDINALITY a (value, n)
      ) e)
    ELSE jsonb_build_object('legacy', row->'distributions') END AS doc
  FROM member
),
-- From here on, only rows that share a target.
shared AS (
  SELECT target, rank, doc,
    CASE WHEN jsonb_typeof(doc->'verification') = 'object' THEN doc->'verification' END AS verification,
    CASE WHEN jsonb_typeof(doc->'verification'->'commands') = 'array' THEN doc->'verification'->'commands' END AS commands
  FROM document WHERE members > 1
),
-- jsonb_object_agg keeps the last of equal keys, so the first side comes last. A side with a
-- verification takes precedence, and so does a value of the right type.
united_key AS (
  SELECT s.target, jsonb_object_agg(k.key, k.value ORDER BY
    (k.key <> 'verification' OR jsonb_typeof(k.value) = 'object'), s.rank DESC) AS doc
  FROM shared s CROSS JOIN jsonb_each(s.doc) k GROUP BY s.target
),
united_verification AS (
  SELECT s.target, jsonb_object_agg(k.key, k.value ORDER BY
    (k.key <> 'commands' OR jsonb_typeof(k.value) = 'array'), NOT ({side_is_none}), s.rank DESC) AS doc
  FROM shared s CROSS JOIN jsonb_each(s.verification) k GROUP BY s.target
),
command AS (
  SELECT s.target, s.rank, c.n, c.value,
    CASE WHEN jsonb_typeof(c.value) = 'object' THEN
      '{"args": [], "exit_code": 0, "pattern": "", "optional": false, "version_pattern": "", "timeout": "10s"}'::jsonb
        || (c.value - 'priority')
      ELSE c.value END AS meaning,
    CASE WHEN jsonb_typeof(c.value->'priority') = 'number' THEN (c.value->>'priority')::numeric ELSE 999 END AS priority
  FROM shared s CROSS JOIN jsonb_array_elements(s.commands) WITH ORDINALITY c (value, n)
),
united_command AS (
  SELECT target, jsonb_agg(value ORDER BY priority, rank, n) AS commands
  FROM (SELECT DISTINCT ON (target, meaning) * FROM command ORDER BY target, meaning, priority, rank, n) c
  GROUP BY target
  HAVING target IN (SELECT target FROM shared WHERE commands IS NOT NULL GROUP BY target HAVING count(*) > 1)
),
united AS (
  SELECT k.target, k.doc
    || CASE WHEN v.doc IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('verification', v.doc
      || CASE WHEN c.commands IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('commands', c.commands) END) END AS doc
  FROM united_key k LEFT JOIN united_verification v USING (target) LEFT JOIN united_command c USING (target)
),
-- In the other columns the surviving row keeps its values and gets those that it lacks.
filled AS (
  SELECT target,
    (array_agg(row->'description' ORDER BY rank) FILTER (WHERE row->>'description' IS NOT NULL))[1] AS description,
    (array_agg(row->'pack' ORDER BY rank) FILTER (WHERE row->>'pack' IS NOT NULL))[1] AS own_pack,
    count(DISTINCT row->>'name') AS names,
    (array_agg(row->'pack_ref' ORDER BY rank) FILTER (WHERE row->>'pack_ref' IS NOT NULL))[1] AS pack_ref,
    (array_agg(row->'installation' ORDER BY rank) FILTER (WHERE row->'installation' IS NOT NULL))[1] AS installation
  FROM member GROUP BY target
),
united_installation AS (
  SELECT m.target, jsonb_object_agg(k.key, k.value ORDER BY m.rank DESC) AS doc
  FROM member m CROSS JOIN jsonb_each(
    CASE WHEN jsonb_typeof(m.row->'installation') = 'object' THEN m.row->'installation' ELSE '{}' END) k
  WHERE m.members > 1 GROUP BY m.target
),
result AS (
  SELECT m.target, m.row, coalesce(u.doc, d.doc) AS doc, f.description, f.pack_ref,
    coalesce(f.own_pack, (SELECT to_jsonb(p.id) FROM {pack} p WHERE p.ref = f.pack_ref #>> '{}')) AS pack,
    f.names > 1 AND c.name IS NOT NULL AS needs_name, c.name,
    CASE WHEN jsonb_typeof(f.installation) = 'object' THEN coalesce(i.doc, f.installation) ELSE f.installation END AS installation,
    c.aliases, c.roles, c.verification,
    coalesce(m.row->'aliases', '[]') IN ('[]', 'null') AS needs_aliases,
    coalesce(coalesce(u.doc, d.doc)->'roles', 'null') = 'null' AS needs_roles,
    {own_is_none} AS needs_verification,
    -- Its other keys take precedence over those of the core definition.
    own.verification || c.verification || (own.verification - '{always_available,check_required,commands}'::text[]) AS whole_verification
  FROM member m JOIN document d USING (id) JOIN filled f ON f.target = m.target
    LEFT JOIN united u ON u.target = m.target LEFT JOIN united_installation i ON i.target = m.target
    LEFT JOIN core_definition c ON c.ref = m.target
    CROSS JOIN LATERAL (SELECT CASE coalesce(jsonb_typeof(coalesce(u.doc, d.doc)->'verification'), 'null')
      WHEN 'null' THEN '{}' WHEN 'object' THEN coalesce(u.doc, d.doc)->'verification' END AS verification) own
  WHERE m.rank = 1
),
merged AS (
  SELECT target, jsonb_strip_nulls(jsonb_build_object('description', description, 'pack', pack, 'pack_ref', pack_ref))
    || CASE WHEN installation IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('installation', installation) END
    || jsonb_build_object('ref', target, 'name', CASE WHEN needs_name THEN to_jsonb(name) ELSE row->'name' END,
      'aliases', CASE WHEN needs_aliases THEN coalesce(aliases, '[]') ELSE row->'aliases' END,
      'distributions', doc
        || CASE WHEN needs_roles AND roles IS NOT NULL THEN jsonb_build_object('roles', roles) ELSE '{}' END
        || CASE WHEN needs_verification AND verification IS NOT NULL
             THEN jsonb_build_object('verification', whole_verification) ELSE '{}' END) AS merged,
    array_remove(ARRAY[
      CASE WHEN needs_name THEN 'name' END,
      CASE WHEN needs_aliases AND aliases IS NOT NULL THEN 'aliases' END,
      CASE WHEN needs_roles AND roles IS NOT NULL THEN 'roles' END,
      CASE WHEN needs_verification AND verification IS NOT NULL THEN 'verification' END], NULL) AS from_core
  FROM result
)
SELECT m.id, m.ref, m.side, m.became, m.target, m.rank, m.members, m.row, d.doc,
  CASE WHEN m.rank = 1 THEN g.merged END AS merged, CASE WHEN m.rank = 1 THEN g.from_core END AS from_core
FROM member m JOIN document d USING (id) JOIN merged g ON g.target = m.target
