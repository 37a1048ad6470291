-- The functions with the owner's rights stay safe, and earlier programs can use them.
-- worker_heartbeat writes the time itself again.

CREATE OR REPLACE FUNCTION {schema}.worker_heartbeat(worker_id bigint, worker_instance text) RETURNS timestamptz
LANGUAGE plpgsql AS $attune$
DECLARE
    asked timestamptz;
BEGIN
    UPDATE {schema}.worker AS w SET last_heartbeat = pg_catalog.statement_timestamp()
    WHERE w.id = worker_id AND w.instance = worker_instance AND w.status <> 'inactive'
    RETURNING coalesce(w.refresh_requested, 'epoch') INTO asked;
    RETURN asked;
END
$attune$;

DROP TRIGGER worker_bound_values ON {schema}.worker;
DROP TRIGGER worker_bound_documents ON {schema}.worker;
DROP TRIGGER worker_runtime_bound_documents ON {schema}.worker_runtime;
DROP FUNCTION {schema}.worker_bound_values();
DROP FUNCTION {schema}.worker_bound_documents();
DROP FUNCTION {schema}.worker_runtime_bound_documents();

DROP TRIGGER worker_stamp_heartbeat ON {schema}.worker;
DROP TRIGGER worker_stamp_updated ON {schema}.worker;
DROP FUNCTION {schema}.worker_stamp_heartbeat();
DROP FUNCTION {schema}.worker_stamp_updated();

ALTER TABLE {schema}.capability_change DROP CONSTRAINT capability_change_size_check, DROP CONSTRAINT capability_change_times_check;
ALTER TABLE {schema}.worker_runtime DROP CONSTRAINT worker_runtime_size_check, DROP CONSTRAINT worker_runtime_times_check;
ALTER TABLE {schema}.runtime_version DROP CONSTRAINT runtime_version_times_check;
ALTER TABLE {schema}.runtime DROP CONSTRAINT runtime_times_check;
ALTER TABLE {schema}.pack DROP CONSTRAINT pack_times_check;
