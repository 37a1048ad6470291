DO $attune$
DECLARE
    added record;
BEGIN
    FOR added IN
        SELECT r.relname AS relation, a.attname AS name
        FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
        WHERE r.relnamespace = $schema${schema}$schema$::regnamespace AND r.relname IN ('action', 'sensor')
          AND a.attname IN ('required_worker_runtimes', 'worker_selector', 'worker_tolerations', 'worker_affinity')
          AND col_description(r.oid, a.attnum) = 'attune'
    LOOP
        EXECUTE format('ALTER TABLE %s.%I DROP COLUMN %I', $schema${schema}$schema$, added.relation, added.name);
    END LOOP;
END
$attune$;
DROP TABLE {schema}.worker_operator_taint;
DROP TABLE {schema}.worker_cordon;
