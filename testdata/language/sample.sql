-- The row
-- is no action. BAD negated noun.
CREATE TABLE t (a text NOT NULL DEFAULT 'whoever'); -- BAD subject of a riddle.

-- Of two rows the first is kept. BAD leading Of.
SELECT a FROM t WHERE a IS NOT NULL;

-- The first of two rows is kept.
SELECT a FROM t;
