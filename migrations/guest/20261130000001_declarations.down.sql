DROP FUNCTION IF EXISTS {schema}.attune_declare_workers(integer);

{declare_worker}
ALTER FUNCTION {schema}.attune_declare_worker(bigint, jsonb) SET enable_seqscan = off;

DROP FUNCTION IF EXISTS {schema}.attune_declare_runtimes(bigint[], jsonb[]);
DROP FUNCTION IF EXISTS {schema}.attune_declared_names(jsonb);
DROP FUNCTION IF EXISTS {schema}.attune_runtime_names(text[]);
DROP TABLE IF EXISTS {schema}.attune_declaration_round;
