-- One row for each row to restore in runtime. If several rows have the same ref, the one in first place
-- gets it.
WITH RECURSIVE now AS (
  SELECT r.id::bigint AS id, r.ref::text AS ref, {row} AS row FROM {runtime} r
),
origin AS (
  SELECT u.id, u.ref, u.became, u.became_ref, u.legacy, s.legacy || s.merged AS unified,
    CASE WHEN u.ref ~ {legacy_form} AND u.ref <> {builtin} THEN split_part(u.ref, '.', 2) ELSE '' END AS side
  FROM {rows} u JOIN {rows} s ON s.id = u.became
),
loaded AS (
  {loaded}
),
-- The differences from the result of Up, down to the keys of objects and the items of lists, and the
-- pack's values for them. A pack is loaded into objects key by key, and into a list as a whole.
difference (id, k, was, present, pack) AS (
  SELECT n.id, k, o.unified->k, n.row->k, CASE WHEN k = ANY (l.columns) THEN coalesce(l.definition->k, 'null') END
  FROM now n JOIN origin o ON o.id = n.id AND o.became = n.id CROSS JOIN unnest({columns}) k LEFT JOIN loaded l ON l.ref = n.ref
  WHERE coalesce(n.row->k, 'null') <> coalesce(o.unified->k, 'null')
  UNION ALL
  SELECT d.id, d.k, part.* FROM difference d CROSS JOIN LATERAL (
    SELECT d.was->j, d.present->j, d.pack->j FROM jsonb_object_keys(CASE WHEN {objects} THEN d.was || d.present ELSE '{}' END) j
    UNION ALL
    SELECT d.was->i, d.present->i, NULL FROM generate_series(0, CASE WHEN {lists} THEN jsonb_array_length(d.was) ELSE 0 END - 1) i
  ) part (was, present, pack)
  WHERE part.was IS DISTINCT FROM part.present AND coalesce(d.present, 'null') IS DISTINCT FROM d.pack
),
-- Values from loading a pack do not count as changes, because they stay in the pack's row. Neither does
-- the removal of an explicit default, or a new time alone.
change AS (
  SELECT id, k FROM difference d
  WHERE k <> 'updated' AND ({objects} OR ({lists})) IS NOT TRUE AND coalesce(d.present, 'null') IS DISTINCT FROM d.pack
    AND (coalesce(d.present, 'null') = 'null' AND d.was IN ('null', 'false', '0', '""', '[]', '{}')) IS NOT TRUE
  GROUP BY id, k
),
-- Later changes go into every row that the runtime was made of.
carried AS (
  SELECT n.id,
    coalesce(jsonb_object_agg(c.k, n.row->c.k) FILTER (WHERE n.row->c.k IS NOT NULL), '{}') AS changed,
    coalesce(array_agg(c.k) FILTER (WHERE c.k IS NOT NULL AND n.row->c.k IS NULL), '{}') AS emptied
  FROM now n JOIN origin o ON o.id = n.id AND o.became = n.id LEFT JOIN (
    SELECT id, k FROM change
    UNION SELECT id, 'updated' FROM change WHERE 'updated' = ANY ({columns})
  ) c ON c.id = n.id GROUP BY n.id
),
former AS (
  SELECT n.id AS current, n.ref AS current_ref, o.id, o.side,
    CASE WHEN n.ref = o.became_ref THEN o.ref WHEN o.side = '' THEN n.ref
      ELSE split_part(n.ref, '.', 1) || '.' || o.side || '.' || split_part(n.ref, '.', 2) END AS ref,
    (o.legacy - c.emptied) || c.changed AS row
  FROM origin o JOIN now n ON n.id = o.became JOIN carried c ON c.id = n.id
),
-- Rows of actions and sensors that were added, or changed their runtime, since.
used AS (
  {used}
),
-- A side that is used now and did not exist before.
extra AS (
  SELECT n.id AS current, n.ref AS current_ref, u.side,
    (SELECT f.row FROM former f WHERE f.id = n.id) AS row
  FROM now n JOIN used u ON u.id = n.id
  WHERE EXISTS (SELECT FROM former f WHERE f.current = n.id)
    AND NOT EXISTS (SELECT FROM former f WHERE f.current = n.id AND f.side IN (u.side, ''))
),
-- Runtimes that were added since go to the side that uses them. Unused ones go to the sides that their
-- roles allow.
added AS (
  SELECT n.id AS current, n.ref AS current_ref, s.side, n.row,
    CASE WHEN row_number() OVER (PARTITION BY n.id ORDER BY s.side) = 1 THEN n.id END AS id
  FROM (
    SELECT n.*, 'action' IN (SELECT side FROM used WHERE used.id = n.id) AS acts,
      'sensor' IN (SELECT side FROM used WHERE used.id = n.id) AS senses,
      CASE WHEN n.row->'distributions'->'roles' IN ('["worker"]', '["sensor"]')
        THEN n.row->'distributions'->'roles'->>0 ELSE 'both' END AS role
    FROM now n WHERE n.id NOT IN (SELECT became FROM origin)
  ) n CROSS JOIN (VALUES ('action'), ('sensor'), ('')) s (side)
  WHERE CASE s.side
    WHEN '' THEN n.ref = {builtin}
    WHEN 'action' THEN n.ref <> {builtin} AND (n.acts OR NOT n.senses AND n.role <> 'sensor')
    ELSE n.ref <> {builtin} AND (n.senses OR NOT n.acts AND n.role <> 'worker') END
),
candidate AS (
  SELECT current, current_ref, id, side, ref, row, true AS former FROM former
  UNION ALL
  SELECT current, current_ref, id, side,
    CASE side WHEN '' THEN current_ref ELSE
      split_part(current_ref, '.', 1) || '.' || side || '.' || split_part(current_ref, '.', 2) END,
    row || jsonb_build_object('{type}', CASE side WHEN '' THEN 'sensor' ELSE side END), false
  FROM (
    SELECT current, current_ref, id, side, row FROM added
    UNION ALL SELECT current, current_ref, NULL, side, row FROM extra
  ) a WHERE {legacy}
)
SELECT current, current_ref, id, side, ref, row, former,
  row_number() OVER (PARTITION BY ref ORDER BY former DESC, id) AS place
FROM candidate
