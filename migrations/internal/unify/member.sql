-- The part of a WITH that decides which rows of runtime become one. member has the ID that each becomes,
-- and its place among the rows with the same target.
legacy AS (
  SELECT r.id::bigint AS id, r.ref::text AS ref, {row} AS row, {target} AS target
  FROM {runtime} r
),
-- The side is the middle word of the ref. A row in the unified form exists only after another migration,
-- and comes first there.
sided AS (
  SELECT *, CASE WHEN ref ~ {legacy_form} THEN split_part(ref, '.', 2) ELSE '' END AS side
  FROM legacy
),
member AS MATERIALIZED (
  SELECT *, row_number() OVER ordered AS rank, first_value(id) OVER ordered AS became,
    count(*) OVER (PARTITION BY target) AS members
  FROM sided
  WINDOW ordered AS (PARTITION BY target ORDER BY
    CASE side WHEN '' THEN 0 WHEN 'action' THEN 1 ELSE 2 END,
    CASE WHEN split_part(ref, '.', 3) = split_part(target, '.', 2) THEN 0 ELSE 1 END, id)
)
