-- program worker 0.1.0
-- session 1
begin isolation level repeatable read read only
-- session 1
SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 1

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog', 'worker_runtime', 'capability_change', 'worker_sweep', 'available_runtime')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relkind
ORDER BY n.nspname, c.relname
-- session 1

SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN ('runtime_type_enum', 'worker_type_enum', 'worker_status_enum', 'worker_role_enum')
GROUP BY t.typnamespace, t.typname
-- session 1
SELECT id, applied, adopted, requires, program FROM "public"."attune_migrations" ORDER BY id
-- session 1
rollback
-- session 1
SELECT "runtime"."id", "runtime"."ref", "runtime"."pack", "runtime"."pack_ref", "runtime"."description", "runtime"."name", "runtime"."aliases", "runtime"."distributions", "runtime"."installation", "runtime"."execution_config", "runtime"."digest", "runtime"."created", "runtime"."updated" FROM "public"."runtime" AS "runtime" ORDER BY runtime.ref COLLATE pg_catalog."C"
-- session 1
SELECT "runtime_version"."id", "runtime_version"."runtime", "runtime_version"."version", "runtime_version"."sort_key", "runtime_version"."is_default", "runtime_version"."distributions", "runtime_version"."execution_config", "runtime_version"."meta", "runtime_version"."created", "runtime_version"."updated" FROM "public"."runtime_version" AS "runtime_version" ORDER BY runtime_version.sort_key COLLATE pg_catalog."C" DESC, runtime_version.id
-- session 1
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 1
WITH adopted AS (
			UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "host" = 'previous.example', "port" = 8080, "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:22Z","duration_ms":1.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'previous' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/previous')
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		), registered AS (
			INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "host", "port", "status", "capabilities", "identity") SELECT 'previous', 'local', 'action', 'previous.example', 8080, 'inactive', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:22Z","duration_ms":1.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'action/previous' WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "host" = 'previous.example', "port" = 8080, "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:22Z","duration_ms":1.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous' WHERE (worker.instance = NULL OR (worker.instance IS NOT NULL AND worker.status <> 'inactive' AND worker.last_heartbeat > pg_catalog.statement_timestamp() - worker.heartbeat_interval * interval '3 seconds') IS NOT TRUE)
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 1
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 2) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 1
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 1
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (2, 2, 'core.native', 'native', FALSE, 'available', 'always_available', '', '', FALSE, NULL, '', '', NULL, NULL, NULL, NULL, NULL), (2, 1, 'core.python', 'python', FALSE, 'available', 'verified', '3.11.7', 'Python 3.11.7', FALSE, 'A3B11A7.', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":1.6,"output":"Python 3.11.7","version":"3.11.7","version_raw":"Python 3.11.7","outcome":"available"}]', '2026-11-24 00:10:22.048+00:00', NULL)
-- session 1
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (2, 'previous', 'action', 'core.native', 'native', 'gained', NULL, NULL, NULL), (2, 'previous', 'action', 'core.python', 'python', 'gained', NULL, '3.11.7', '/opt/previous/bin/python3') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 1
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":2,"first":1,"last":2}')
-- session 1
commit
-- session 2
begin isolation level repeatable read read only
-- session 2
SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 2

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog', 'worker_runtime', 'capability_change', 'worker_sweep', 'available_runtime')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relkind
ORDER BY n.nspname, c.relname
-- session 2

SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN ('runtime_type_enum', 'worker_type_enum', 'worker_status_enum', 'worker_role_enum')
GROUP BY t.typnamespace, t.typname
-- session 2
SELECT id, applied, adopted, requires, program FROM "public"."attune_migrations" ORDER BY id
-- session 2
rollback
-- session 2
SELECT "runtime"."id", "runtime"."ref", "runtime"."pack", "runtime"."pack_ref", "runtime"."description", "runtime"."name", "runtime"."aliases", "runtime"."distributions", "runtime"."installation", "runtime"."execution_config", "runtime"."digest", "runtime"."created", "runtime"."updated" FROM "public"."runtime" AS "runtime" ORDER BY runtime.ref COLLATE pg_catalog."C"
-- session 2
SELECT "runtime_version"."id", "runtime_version"."runtime", "runtime_version"."version", "runtime_version"."sort_key", "runtime_version"."is_default", "runtime_version"."distributions", "runtime_version"."execution_config", "runtime_version"."meta", "runtime_version"."created", "runtime_version"."updated" FROM "public"."runtime_version" AS "runtime_version" ORDER BY runtime_version.sort_key COLLATE pg_catalog."C" DESC, runtime_version.id
-- session 2
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 2
WITH adopted AS (
			UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:22Z","duration_ms":1.4,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'previous' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/previous')
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		), registered AS (
			INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "identity") SELECT 'previous', 'local', 'action', 'inactive', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:22Z","duration_ms":1.4,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'action/previous' WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:22Z","duration_ms":1.4,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous' WHERE (worker.instance = NULL OR (worker.instance IS NOT NULL AND worker.status <> 'inactive' AND worker.last_heartbeat > pg_catalog.statement_timestamp() - worker.heartbeat_interval * interval '3 seconds') IS NOT TRUE)
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 2
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 2) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 2
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 2
DELETE FROM "public"."worker_runtime" WHERE id IN (2)
-- session 2
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (2, 1, 'core.python', 'python', FALSE, 'available', 'verified', '3.12.1', 'Python 3.12.1', FALSE, 'A3B12A1.', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":1.4,"output":"Python 3.12.1","version":"3.12.1","version_raw":"Python 3.12.1","outcome":"available"}]', '2026-11-24 00:10:22.017+00:00', NULL)
-- session 2
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (2, 'previous', 'action', 'core.python', 'python', 'version_changed', '3.11.7', '3.12.1', '/opt/previous/bin/python3') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 2
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":2,"first":3,"last":3}')
-- session 2
commit
-- session 3
begin isolation level repeatable read read only
-- session 3
SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 3

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog', 'worker_runtime', 'capability_change', 'worker_sweep', 'available_runtime')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relkind
ORDER BY n.nspname, c.relname
-- session 3

SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN ('runtime_type_enum', 'worker_type_enum', 'worker_status_enum', 'worker_role_enum')
GROUP BY t.typnamespace, t.typname
-- session 3
SELECT id, applied, adopted, requires, program FROM "public"."attune_migrations" ORDER BY id
-- session 3
rollback
-- session 3
SELECT "runtime"."id", "runtime"."ref", "runtime"."pack", "runtime"."pack_ref", "runtime"."description", "runtime"."name", "runtime"."aliases", "runtime"."distributions", "runtime"."installation", "runtime"."execution_config", "runtime"."digest", "runtime"."created", "runtime"."updated" FROM "public"."runtime" AS "runtime" ORDER BY runtime.ref COLLATE pg_catalog."C"
-- session 3
SELECT "runtime_version"."id", "runtime_version"."runtime", "runtime_version"."version", "runtime_version"."sort_key", "runtime_version"."is_default", "runtime_version"."distributions", "runtime_version"."execution_config", "runtime_version"."meta", "runtime_version"."created", "runtime_version"."updated" FROM "public"."runtime_version" AS "runtime_version" ORDER BY runtime_version.sort_key COLLATE pg_catalog."C" DESC, runtime_version.id
-- session 3
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 3
WITH adopted AS (
			UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'sensor', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:22Z","duration_ms":1.4,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'sensor/previous' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'previous' AND CAST(legacy.worker_role AS pg_catalog.text) = 'sensor'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'sensor/previous')
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		), registered AS (
			INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "identity") SELECT 'previous', 'local', 'sensor', 'inactive', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:22Z","duration_ms":1.4,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'sensor/previous' WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'sensor', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:22Z","duration_ms":1.4,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'sensor/previous' WHERE (worker.instance = NULL OR (worker.instance IS NOT NULL AND worker.status <> 'inactive' AND worker.last_heartbeat > pg_catalog.statement_timestamp() - worker.heartbeat_interval * interval '3 seconds') IS NOT TRUE)
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 3
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 4) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 3
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 3
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (4, 2, 'core.native', 'native', FALSE, 'available', 'always_available', '', '', FALSE, NULL, '', '', NULL, NULL, NULL, NULL, NULL), (4, 1, 'core.python', 'python', FALSE, 'available', 'verified', '3.12.1', 'Python 3.12.1', FALSE, 'A3B12A1.', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":1.4,"output":"Python 3.12.1","version":"3.12.1","version_raw":"Python 3.12.1","outcome":"available"}]', '2026-11-24 00:10:22.029+00:00', NULL)
-- session 3
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (4, 'previous', 'sensor', 'core.native', 'native', 'gained', NULL, NULL, NULL), (4, 'previous', 'sensor', 'core.python', 'python', 'gained', NULL, '3.12.1', '/opt/previous/bin/python3') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 3
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":4,"first":4,"last":5}')
-- session 3
commit
-- session 4
begin isolation level repeatable read read only
-- session 4
SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 4

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog', 'worker_runtime', 'capability_change', 'worker_sweep', 'available_runtime')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relkind
ORDER BY n.nspname, c.relname
-- session 4

SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN ('runtime_type_enum', 'worker_type_enum', 'worker_status_enum', 'worker_role_enum')
GROUP BY t.typnamespace, t.typname
-- session 4
SELECT id, applied, adopted, requires, program FROM "public"."attune_migrations" ORDER BY id
-- session 4
rollback
-- session 4
SELECT "runtime"."id", "runtime"."ref", "runtime"."pack", "runtime"."pack_ref", "runtime"."description", "runtime"."name", "runtime"."aliases", "runtime"."distributions", "runtime"."installation", "runtime"."execution_config", "runtime"."digest", "runtime"."created", "runtime"."updated" FROM "public"."runtime" AS "runtime" ORDER BY runtime.ref COLLATE pg_catalog."C"
-- session 4
SELECT "runtime_version"."id", "runtime_version"."runtime", "runtime_version"."version", "runtime_version"."sort_key", "runtime_version"."is_default", "runtime_version"."distributions", "runtime_version"."execution_config", "runtime_version"."meta", "runtime_version"."created", "runtime_version"."updated" FROM "public"."runtime_version" AS "runtime_version" ORDER BY runtime_version.sort_key COLLATE pg_catalog."C" DESC, runtime_version.id
-- session 4
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 4
WITH adopted AS (
			UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'adopted', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:23Z","duration_ms":7.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/adopted' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'adopted' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/adopted')
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		), registered AS (
			INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "identity") SELECT 'adopted', 'local', 'action', 'inactive', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:23Z","duration_ms":7.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'action/adopted' WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'adopted', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:23Z","duration_ms":7.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/adopted' WHERE (worker.instance = NULL OR (worker.instance IS NOT NULL AND worker.status <> 'inactive' AND worker.last_heartbeat > pg_catalog.statement_timestamp() - worker.heartbeat_interval * interval '3 seconds') IS NOT TRUE)
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 4
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 1) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 4
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 4
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (1, 2, 'core.native', 'native', FALSE, 'available', 'always_available', '', '', FALSE, NULL, '', '', NULL, NULL, NULL, NULL, NULL), (1, 1, 'core.python', 'python', FALSE, 'available', 'verified', '3.12.1', 'Python 3.12.1', FALSE, 'A3B12A1.', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":7.6,"output":"Python 3.12.1","version":"3.12.1","version_raw":"Python 3.12.1","outcome":"available"}]', '2026-11-24 00:10:23.014+00:00', NULL)
-- session 4
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (1, 'adopted', 'action', 'core.native', 'native', 'gained', NULL, NULL, NULL), (1, 'adopted', 'action', 'core.python', 'python', 'gained', NULL, '3.12.1', '/opt/previous/bin/python3') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 4
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":1,"first":6,"last":7}')
-- session 4
commit
-- session 5
begin isolation level repeatable read read only
-- session 5
SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 5

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog', 'worker_runtime', 'capability_change', 'worker_sweep', 'available_runtime')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relkind
ORDER BY n.nspname, c.relname
-- session 5

SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN ('runtime_type_enum', 'worker_type_enum', 'worker_status_enum', 'worker_role_enum')
GROUP BY t.typnamespace, t.typname
-- session 5
SELECT id, applied, adopted, requires, program FROM "public"."attune_migrations" ORDER BY id
-- session 5
rollback
-- session 5
SELECT "runtime"."id", "runtime"."ref", "runtime"."pack", "runtime"."pack_ref", "runtime"."description", "runtime"."name", "runtime"."aliases", "runtime"."distributions", "runtime"."installation", "runtime"."execution_config", "runtime"."digest", "runtime"."created", "runtime"."updated" FROM "public"."runtime" AS "runtime" ORDER BY runtime.ref COLLATE pg_catalog."C"
-- session 5
SELECT "runtime_version"."id", "runtime_version"."runtime", "runtime_version"."version", "runtime_version"."sort_key", "runtime_version"."is_default", "runtime_version"."distributions", "runtime_version"."execution_config", "runtime_version"."meta", "runtime_version"."created", "runtime_version"."updated" FROM "public"."runtime_version" AS "runtime_version" ORDER BY runtime_version.sort_key COLLATE pg_catalog."C" DESC, runtime_version.id
-- session 5
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 5
WITH adopted AS (
			UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native"],"runtime_versions":{},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]}],"undetected":[{"ref":"core.python","name":"python","outcome":"not_found","detail":"python3 is in none of the 1 folders of PATH","hint":"install python3, or add its folder to this service''s PATH"}],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'previous' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/previous')
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		), registered AS (
			INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "identity") SELECT 'previous', 'local', 'action', 'inactive', '{"format":1,"runtimes":["native"],"runtime_versions":{},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]}],"undetected":[{"ref":"core.python","name":"python","outcome":"not_found","detail":"python3 is in none of the 1 folders of PATH","hint":"install python3, or add its folder to this service''s PATH"}],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'action/previous' WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native"],"runtime_versions":{},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]}],"undetected":[{"ref":"core.python","name":"python","outcome":"not_found","detail":"python3 is in none of the 1 folders of PATH","hint":"install python3, or add its folder to this service''s PATH"}],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous' WHERE (worker.instance = NULL OR (worker.instance IS NOT NULL AND worker.status <> 'inactive' AND worker.last_heartbeat > pg_catalog.statement_timestamp() - worker.heartbeat_interval * interval '3 seconds') IS NOT TRUE)
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 5
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 2) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 5
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 5
DELETE FROM "public"."worker_runtime" WHERE id IN (3)
-- session 5
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (2, 1, 'core.python', 'python', FALSE, 'not_found', '', '', '', FALSE, NULL, '', '', 'python3 is in none of the 1 folders of PATH', 'install python3, or add its folder to this service''s PATH', '[{"command":["python3","--version"],"duration_ms":0,"outcome":"not_found","detail":"python3 is in none of the 1 folders of PATH","hint":"install python3, or add its folder to this service''s PATH"}]', '2026-11-24 00:10:23.344+00:00', NULL)
-- session 5
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (2, 'previous', 'action', 'core.python', 'python', 'lost', '3.12.1', NULL, 'not_found: python3 is in none of the 1 folders of PATH') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 5
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":2,"first":8,"last":8}')
-- session 5
commit
-- session 6
begin isolation level repeatable read read only
-- session 6
SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 6

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog', 'worker_runtime', 'capability_change', 'worker_sweep', 'available_runtime')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relkind
ORDER BY n.nspname, c.relname
-- session 6

SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN ('runtime_type_enum', 'worker_type_enum', 'worker_status_enum', 'worker_role_enum')
GROUP BY t.typnamespace, t.typname
-- session 6
SELECT id, applied, adopted, requires, program FROM "public"."attune_migrations" ORDER BY id
-- session 6
rollback
-- session 6
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 6
SELECT "runtime"."id", "runtime"."ref", "runtime"."pack", "runtime"."pack_ref", "runtime"."description", "runtime"."name", "runtime"."aliases", "runtime"."distributions", "runtime"."installation", "runtime"."execution_config", "runtime"."digest", "runtime"."created", "runtime"."updated" FROM "public"."runtime" AS "runtime" ORDER BY runtime.ref COLLATE pg_catalog."C"
-- session 6
SELECT "runtime_version"."id", "runtime_version"."runtime", "runtime_version"."version", "runtime_version"."sort_key", "runtime_version"."is_default", "runtime_version"."distributions", "runtime_version"."execution_config", "runtime_version"."meta", "runtime_version"."created", "runtime_version"."updated" FROM "public"."runtime_version" AS "runtime_version" ORDER BY runtime_version.sort_key COLLATE pg_catalog."C" DESC, runtime_version.id
-- session 6
SELECT "worker"."id", "worker"."name", "worker"."worker_type", "worker"."worker_role", "worker"."runtime", "worker"."host", "worker"."port", "worker"."status", "worker"."capabilities", "worker"."meta", "worker"."last_heartbeat", "worker"."identity", "worker"."instance", "worker"."heartbeat_interval", "worker"."refresh_requested", "worker"."created", "worker"."updated" FROM "public"."worker" AS "worker" WHERE (worker.identity = 'action/running' OR worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'running' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1)) ORDER BY worker.identity IS NULL LIMIT 1
-- session 7
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 7
WITH adopted AS (
			UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'running', "worker_type" = 'local', "worker_role" = 'action', "status" = 'active', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:23Z","duration_ms":10.1,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "last_heartbeat" = pg_catalog.statement_timestamp(), "identity" = 'action/running', "instance" = 'previous.example-10884-AHHL7KFY4Y', "heartbeat_interval" = 1 WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'running' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/running')
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		), registered AS (
			INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "last_heartbeat", "identity", "instance", "heartbeat_interval") SELECT 'running', 'local', 'action', 'active', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:23Z","duration_ms":10.1,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', pg_catalog.statement_timestamp(), 'action/running', 'previous.example-10884-AHHL7KFY4Y', 1 WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'running', "worker_type" = 'local', "worker_role" = 'action', "status" = 'active', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:23Z","duration_ms":10.1,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "last_heartbeat" = pg_catalog.statement_timestamp(), "identity" = 'action/running', "instance" = 'previous.example-10884-AHHL7KFY4Y', "heartbeat_interval" = 1 WHERE (worker.instance = 'previous.example-10884-AHHL7KFY4Y' OR (worker.instance IS NOT NULL AND worker.status <> 'inactive' AND worker.last_heartbeat > pg_catalog.statement_timestamp() - worker.heartbeat_interval * interval '3 seconds') IS NOT TRUE)
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 7
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 6) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 7
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 7
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (6, 2, 'core.native', 'native', TRUE, 'available', 'always_available', '', '', FALSE, NULL, '', '', NULL, NULL, NULL, NULL, NULL), (6, 1, 'core.python', 'python', TRUE, 'available', 'verified', '3.11.7', 'Python 3.11.7', FALSE, 'A3B11A7.', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":10.1,"output":"Python 3.11.7","version":"3.11.7","version_raw":"Python 3.11.7","outcome":"available"}]', '2026-11-24 00:10:23.055+00:00', NULL)
-- session 7
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (6, 'running', 'action', 'core.native', 'native', 'gained', NULL, NULL, NULL), (6, 'running', 'action', 'core.python', 'python', 'gained', NULL, '3.11.7', '/opt/previous/bin/python3') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 7
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":6,"first":9,"last":10}')
-- session 7
commit
-- session 7
SELECT "public"."worker_heartbeat"(6, 'previous.example-10884-AHHL7KFY4Y')
-- session 7
SELECT * FROM "public"."sweep_workers"(1000000 * interval '1 microsecond', 500)
-- session 7
SELECT "public"."worker_heartbeat"(6, 'previous.example-10884-AHHL7KFY4Y')
-- session 7
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 7
SELECT "public"."worker_heartbeat"(6, 'previous.example-10884-AHHL7KFY4Y')
-- session 7
SELECT * FROM "public"."sweep_workers"(1000000 * interval '1 microsecond', 500)
-- session 7
SELECT "public"."worker_heartbeat"(6, 'previous.example-10884-AHHL7KFY4Y')
-- session 7
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 7
SELECT "public"."worker_heartbeat"(6, 'previous.example-10884-AHHL7KFY4Y')
-- session 7
SELECT * FROM "public"."sweep_workers"(1000000 * interval '1 microsecond', 500)
-- session 7
SELECT "public"."worker_heartbeat"(6, 'previous.example-10884-AHHL7KFY4Y')
-- session 7
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 7
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 7
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 7
UPDATE "public"."worker" AS worker SET capabilities = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:29Z","duration_ms":3.4,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', updated = CURRENT_TIMESTAMP WHERE worker.id = 6 AND worker.instance = 'previous.example-10884-AHHL7KFY4Y' RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
-- session 7
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 6) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 7
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 7
UPDATE "public"."worker_runtime" AS kept SET "worker" = changed."worker", "runtime" = changed."runtime", "runtime_ref" = changed."runtime_ref", "name" = changed."name", "active" = changed."active", "outcome" = changed."outcome", "source" = changed."source", "version" = changed."version", "version_raw" = changed."version_raw", "prerelease" = changed."prerelease", "sort_key" = changed."sort_key", "path" = changed."path", "real_path" = changed."real_path", "detail" = changed."detail", "hint" = changed."hint", "evidence" = changed."evidence", "verified_at" = changed."verified_at", "unconfirmed_since" = changed."unconfirmed_since", updated = CURRENT_TIMESTAMP FROM (SELECT "id", "worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since" FROM "public"."worker_runtime" WHERE false UNION ALL SELECT 10, 6, 1, 'core.python', 'python', TRUE, 'available', 'verified', '3.11.7', 'Python 3.11.7', FALSE, 'A3B11A7.', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":3.4,"output":"Python 3.11.7","version":"3.11.7","version_raw":"Python 3.11.7","outcome":"available"}]', '2026-11-24 00:10:29.003+00:00', NULL) AS changed WHERE kept.id = changed.id
-- session 7
commit
-- session 7
SELECT "public"."worker_heartbeat"(6, 'previous.example-10884-AHHL7KFY4Y')
-- session 7
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 7
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 7
UPDATE "public"."worker" AS worker SET capabilities = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:30Z","duration_ms":1.9,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', updated = CURRENT_TIMESTAMP WHERE worker.id = 6 AND worker.instance = 'previous.example-10884-AHHL7KFY4Y' RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
-- session 7
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 6) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 7
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 7
DELETE FROM "public"."worker_runtime" WHERE id IN (10)
-- session 7
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (6, 1, 'core.python', 'python', TRUE, 'available', 'verified', '3.12.1', 'Python 3.12.1', FALSE, 'A3B12A1.', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":1.9,"output":"Python 3.12.1","version":"3.12.1","version_raw":"Python 3.12.1","outcome":"available"}]', '2026-11-24 00:10:30.001+00:00', NULL)
-- session 7
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (6, 'running', 'action', 'core.python', 'python', 'version_changed', '3.11.7', '3.12.1', '/opt/previous/bin/python3') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 7
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":6,"first":11,"last":11}')
-- session 7
commit
-- session 7
SELECT * FROM "public"."sweep_workers"(1000000 * interval '1 microsecond', 500)
-- session 7
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 7
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 7
UPDATE "public"."worker" AS worker SET capabilities = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.13.0-rc1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.13.0-rc1","version_raw":"Python 3.13.0rc1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:30Z","duration_ms":4.7,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', updated = CURRENT_TIMESTAMP WHERE worker.id = 6 AND worker.instance = 'previous.example-10884-AHHL7KFY4Y' RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
-- session 7
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 6) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 7
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 7
DELETE FROM "public"."worker_runtime" WHERE id IN (11)
-- session 7
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (6, 1, 'core.python', 'python', TRUE, 'available', 'verified', '3.13.0-rc1', 'Python 3.13.0rc1', TRUE, 'A3B13A0-rcA1', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":4.7,"output":"Python 3.13.0rc1","version":"3.13.0-rc1","version_raw":"Python 3.13.0rc1","outcome":"available"}]', '2026-11-24 00:10:30.001+00:00', NULL)
-- session 7
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (6, 'running', 'action', 'core.python', 'python', 'version_changed', '3.12.1', '3.13.0-rc1', '/opt/previous/bin/python3') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 7
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":6,"first":12,"last":12}')
-- session 7
commit
-- session 7
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 7
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 7
UPDATE "public"."worker" AS worker SET capabilities = '{"format":1,"runtimes":["native"],"runtime_versions":{},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]}],"undetected":[{"ref":"core.python","name":"python","outcome":"not_found","detail":"python3 is in none of the 1 folders of PATH","hint":"install python3, or add its folder to this service''s PATH"}],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', updated = CURRENT_TIMESTAMP WHERE worker.id = 6 AND worker.instance = 'previous.example-10884-AHHL7KFY4Y' RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
-- session 7
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 6) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 7
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 7
DELETE FROM "public"."worker_runtime" WHERE id IN (12)
-- session 7
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (6, 1, 'core.python', 'python', TRUE, 'not_found', '', '', '', FALSE, NULL, '', '', 'python3 is in none of the 1 folders of PATH', 'install python3, or add its folder to this service''s PATH', '[{"command":["python3","--version"],"duration_ms":0,"outcome":"not_found","detail":"python3 is in none of the 1 folders of PATH","hint":"install python3, or add its folder to this service''s PATH"}]', '2026-11-24 00:10:31.01+00:00', NULL)
-- session 7
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (6, 'running', 'action', 'core.python', 'python', 'lost', '3.13.0-rc1', NULL, 'not_found: python3 is in none of the 1 folders of PATH') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 7
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":6,"first":13,"last":13}')
-- session 7
commit
-- session 7
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 7
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 7
UPDATE "public"."worker" AS worker SET capabilities = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.4,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', updated = CURRENT_TIMESTAMP WHERE worker.id = 6 AND worker.instance = 'previous.example-10884-AHHL7KFY4Y' RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
-- session 7
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 6) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 7
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 7
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (6, 1, 'core.python', 'python', TRUE, 'available', 'verified', '3.12.1', 'Python 3.12.1', FALSE, 'A3B12A1.', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":1.4,"output":"Python 3.12.1","version":"3.12.1","version_raw":"Python 3.12.1","outcome":"available"}]', '2026-11-24 00:10:31.001+00:00', NULL)
-- session 7
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (6, 'running', 'action', 'core.python', 'python', 'gained', NULL, '3.12.1', '/opt/previous/bin/python3') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 7
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":6,"first":14,"last":14}')
-- session 7
commit
-- session 7
UPDATE "public"."worker" AS worker SET status = 'inactive', instance = NULL, updated = CURRENT_TIMESTAMP WHERE id = 6 AND instance = 'previous.example-10884-AHHL7KFY4Y' RETURNING id
-- session 8
begin isolation level repeatable read read only
-- session 8
SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 8

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog', 'worker_runtime', 'capability_change', 'worker_sweep', 'available_runtime')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relkind
ORDER BY n.nspname, c.relname
-- session 8

SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN ('runtime_type_enum', 'worker_type_enum', 'worker_status_enum', 'worker_role_enum')
GROUP BY t.typnamespace, t.typname
-- session 8
SELECT id, applied, adopted, requires, program FROM "public"."attune_migrations" ORDER BY id
-- session 8
rollback
-- session 8
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 8
SELECT "runtime"."id", "runtime"."ref", "runtime"."pack", "runtime"."pack_ref", "runtime"."description", "runtime"."name", "runtime"."aliases", "runtime"."distributions", "runtime"."installation", "runtime"."execution_config", "runtime"."digest", "runtime"."created", "runtime"."updated" FROM "public"."runtime" AS "runtime" ORDER BY runtime.ref COLLATE pg_catalog."C"
-- session 8
SELECT "runtime_version"."id", "runtime_version"."runtime", "runtime_version"."version", "runtime_version"."sort_key", "runtime_version"."is_default", "runtime_version"."distributions", "runtime_version"."execution_config", "runtime_version"."meta", "runtime_version"."created", "runtime_version"."updated" FROM "public"."runtime_version" AS "runtime_version" ORDER BY runtime_version.sort_key COLLATE pg_catalog."C" DESC, runtime_version.id
-- session 8
SELECT "worker"."id", "worker"."name", "worker"."worker_type", "worker"."worker_role", "worker"."runtime", "worker"."host", "worker"."port", "worker"."status", "worker"."capabilities", "worker"."meta", "worker"."last_heartbeat", "worker"."identity", "worker"."instance", "worker"."heartbeat_interval", "worker"."refresh_requested", "worker"."created", "worker"."updated" FROM "public"."worker" AS "worker" WHERE (worker.identity = 'action/running' OR worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'running' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1)) ORDER BY worker.identity IS NULL LIMIT 1
-- session 9
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 9
WITH adopted AS (
			UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'running', "worker_type" = 'local', "worker_role" = 'action', "status" = 'active', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "last_heartbeat" = pg_catalog.statement_timestamp(), "identity" = 'action/running', "instance" = 'previous.example-11172-6ZWKAQOFCS', "heartbeat_interval" = 1 WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'running' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/running')
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		), registered AS (
			INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "last_heartbeat", "identity", "instance", "heartbeat_interval") SELECT 'running', 'local', 'action', 'active', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', pg_catalog.statement_timestamp(), 'action/running', 'previous.example-11172-6ZWKAQOFCS', 1 WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'running', "worker_type" = 'local', "worker_role" = 'action', "status" = 'active', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "last_heartbeat" = pg_catalog.statement_timestamp(), "identity" = 'action/running', "instance" = 'previous.example-11172-6ZWKAQOFCS', "heartbeat_interval" = 1 WHERE (worker.instance = 'previous.example-11172-6ZWKAQOFCS' OR (worker.instance IS NOT NULL AND worker.status <> 'inactive' AND worker.last_heartbeat > pg_catalog.statement_timestamp() - worker.heartbeat_interval * interval '3 seconds') IS NOT TRUE)
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 9
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 6) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 9
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 9
commit
-- session 10
begin isolation level repeatable read read only
-- session 10
SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 10

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog', 'worker_runtime', 'capability_change', 'worker_sweep', 'available_runtime')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relkind
ORDER BY n.nspname, c.relname
-- session 10

SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN ('runtime_type_enum', 'worker_type_enum', 'worker_status_enum', 'worker_role_enum')
GROUP BY t.typnamespace, t.typname
-- session 10
SELECT id, applied, adopted, requires, program FROM "public"."attune_migrations" ORDER BY id
-- session 10
rollback
-- session 10
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 10
SELECT "runtime"."id", "runtime"."ref", "runtime"."pack", "runtime"."pack_ref", "runtime"."description", "runtime"."name", "runtime"."aliases", "runtime"."distributions", "runtime"."installation", "runtime"."execution_config", "runtime"."digest", "runtime"."created", "runtime"."updated" FROM "public"."runtime" AS "runtime" ORDER BY runtime.ref COLLATE pg_catalog."C"
-- session 10
SELECT "runtime_version"."id", "runtime_version"."runtime", "runtime_version"."version", "runtime_version"."sort_key", "runtime_version"."is_default", "runtime_version"."distributions", "runtime_version"."execution_config", "runtime_version"."meta", "runtime_version"."created", "runtime_version"."updated" FROM "public"."runtime_version" AS "runtime_version" ORDER BY runtime_version.sort_key COLLATE pg_catalog."C" DESC, runtime_version.id
-- session 10
SELECT "worker"."id", "worker"."name", "worker"."worker_type", "worker"."worker_role", "worker"."runtime", "worker"."host", "worker"."port", "worker"."status", "worker"."capabilities", "worker"."meta", "worker"."last_heartbeat", "worker"."identity", "worker"."instance", "worker"."heartbeat_interval", "worker"."refresh_requested", "worker"."created", "worker"."updated" FROM "public"."worker" AS "worker" WHERE (worker.identity = 'action/running' OR worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'running' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1)) ORDER BY worker.identity IS NULL LIMIT 1
-- session 11
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 11
WITH adopted AS (
			UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'running', "worker_type" = 'local', "worker_role" = 'action', "status" = 'active', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.3,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "last_heartbeat" = pg_catalog.statement_timestamp(), "identity" = 'action/running', "instance" = 'previous.example-11191-VUM4MYSIG2', "heartbeat_interval" = 1 WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'running' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/running')
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		), registered AS (
			INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "last_heartbeat", "identity", "instance", "heartbeat_interval") SELECT 'running', 'local', 'action', 'active', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.3,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', pg_catalog.statement_timestamp(), 'action/running', 'previous.example-11191-VUM4MYSIG2', 1 WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'running', "worker_type" = 'local', "worker_role" = 'action', "status" = 'active', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.3,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "last_heartbeat" = pg_catalog.statement_timestamp(), "identity" = 'action/running', "instance" = 'previous.example-11191-VUM4MYSIG2', "heartbeat_interval" = 1 WHERE true
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 11
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 6) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 11
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 11
commit
-- session 11
UPDATE "public"."worker" AS worker SET status = 'inactive', instance = NULL, updated = CURRENT_TIMESTAMP WHERE id = 6 AND instance = 'previous.example-11191-VUM4MYSIG2' RETURNING id
-- session 12
begin isolation level repeatable read read only
-- session 12
SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 12

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog', 'worker_runtime', 'capability_change', 'worker_sweep', 'available_runtime')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE pg_catalog.left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relkind
ORDER BY n.nspname, c.relname
-- session 12

SELECT t.typnamespace::pg_catalog.int8 AS oid, t.typname AS name,
       coalesce(pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                FILTER (WHERE e.enumlabel IS NOT NULL), '{}') AS labels
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
WHERE t.typname IN ('runtime_type_enum', 'worker_type_enum', 'worker_status_enum', 'worker_role_enum')
GROUP BY t.typnamespace, t.typname
-- session 12
SELECT id, applied, adopted, requires, program FROM "public"."attune_migrations" ORDER BY id
-- session 12
rollback
-- session 12
SELECT pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime"), ' ', (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM "public"."runtime_version"))
-- session 12
SELECT "runtime"."id", "runtime"."ref", "runtime"."pack", "runtime"."pack_ref", "runtime"."description", "runtime"."name", "runtime"."aliases", "runtime"."distributions", "runtime"."installation", "runtime"."execution_config", "runtime"."digest", "runtime"."created", "runtime"."updated" FROM "public"."runtime" AS "runtime" ORDER BY runtime.ref COLLATE pg_catalog."C"
-- session 12
SELECT "runtime_version"."id", "runtime_version"."runtime", "runtime_version"."version", "runtime_version"."sort_key", "runtime_version"."is_default", "runtime_version"."distributions", "runtime_version"."execution_config", "runtime_version"."meta", "runtime_version"."created", "runtime_version"."updated" FROM "public"."runtime_version" AS "runtime_version" ORDER BY runtime_version.sort_key COLLATE pg_catalog."C" DESC, runtime_version.id
-- session 12
SELECT "worker"."id", "worker"."name", "worker"."worker_type", "worker"."worker_role", "worker"."runtime", "worker"."host", "worker"."port", "worker"."status", "worker"."capabilities", "worker"."meta", "worker"."last_heartbeat", "worker"."identity", "worker"."instance", "worker"."heartbeat_interval", "worker"."refresh_requested", "worker"."created", "worker"."updated" FROM "public"."worker" AS "worker" WHERE (worker.identity = 'sensor/running' OR worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'running' AND CAST(legacy.worker_role AS pg_catalog.text) = 'sensor'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1)) ORDER BY worker.identity IS NULL LIMIT 1
-- session 13
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '30s'
-- session 13
WITH adopted AS (
			UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'running', "worker_type" = 'local', "worker_role" = 'sensor', "status" = 'active', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.2,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "last_heartbeat" = pg_catalog.statement_timestamp(), "identity" = 'sensor/running', "instance" = 'previous.example-11208-HX5YJ4S257', "heartbeat_interval" = 1 WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'running' AND CAST(legacy.worker_role AS pg_catalog.text) = 'sensor'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'sensor/running')
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		), registered AS (
			INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "last_heartbeat", "identity", "instance", "heartbeat_interval") SELECT 'running', 'local', 'sensor', 'active', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.2,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', pg_catalog.statement_timestamp(), 'sensor/running', 'previous.example-11208-HX5YJ4S257', 1 WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'running', "worker_type" = 'local', "worker_role" = 'sensor', "status" = 'active', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","default":true,"command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-24T00:10:31Z","duration_ms":1.2,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "last_heartbeat" = pg_catalog.statement_timestamp(), "identity" = 'sensor/running', "instance" = 'previous.example-11208-HX5YJ4S257', "heartbeat_interval" = 1 WHERE (worker.instance = 'previous.example-11208-HX5YJ4S257' OR (worker.instance IS NOT NULL AND worker.status <> 'inactive' AND worker.last_heartbeat > pg_catalog.statement_timestamp() - worker.heartbeat_interval * interval '3 seconds') IS NOT TRUE)
			RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "refresh_requested", "created", "updated"
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 13
SELECT "worker_runtime"."id", "worker_runtime"."worker", "worker_runtime"."runtime", "worker_runtime"."runtime_ref", "worker_runtime"."name", "worker_runtime"."active", "worker_runtime"."outcome", "worker_runtime"."source", "worker_runtime"."version", "worker_runtime"."version_raw", "worker_runtime"."prerelease", "worker_runtime"."sort_key", "worker_runtime"."path", "worker_runtime"."real_path", "worker_runtime"."detail", "worker_runtime"."hint", "worker_runtime"."verified_at", "worker_runtime"."unconfirmed_since", "worker_runtime"."created", "worker_runtime"."updated" FROM "public"."worker_runtime" AS "worker_runtime" WHERE (worker_runtime.worker = 9) ORDER BY worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> 'available', worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id
-- session 13
SELECT pg_catalog.statement_timestamp() AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN "public"."runtime" AS runtime ON runtime.ref IN ('', 'core.native', 'core.python')
-- session 13
INSERT INTO "public"."worker_runtime" ("worker", "runtime", "runtime_ref", "name", "active", "outcome", "source", "version", "version_raw", "prerelease", "sort_key", "path", "real_path", "detail", "hint", "evidence", "verified_at", "unconfirmed_since") VALUES (9, 2, 'core.native', 'native', TRUE, 'available', 'always_available', '', '', FALSE, NULL, '', '', NULL, NULL, NULL, NULL, NULL), (9, 1, 'core.python', 'python', TRUE, 'available', 'verified', '3.12.1', 'Python 3.12.1', FALSE, 'A3B12A1.', '/opt/previous/bin/python3', '/opt/previous/bin/python3', NULL, NULL, '[{"command":["python3","--version"],"path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","exit_code":0,"duration_ms":1.2,"output":"Python 3.12.1","version":"3.12.1","version_raw":"Python 3.12.1","outcome":"available"}]', '2026-11-24 00:10:31.039+00:00', NULL)
-- session 13
INSERT INTO "public"."capability_change" ("worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail") VALUES (9, 'running', 'sensor', 'core.native', 'native', 'gained', NULL, NULL, NULL), (9, 'running', 'sensor', 'core.python', 'python', 'gained', NULL, '3.12.1', '/opt/previous/bin/python3') RETURNING "id", "worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail", "created"
-- session 13
SELECT pg_catalog.pg_notify('attune_capability_change', '{"schema":"public","worker":9,"first":15,"last":16}')
-- session 13
commit
-- session 13
UPDATE "public"."worker" AS worker SET status = 'inactive', instance = NULL, updated = CURRENT_TIMESTAMP WHERE id = 9 AND instance = 'previous.example-11208-HX5YJ4S257' RETURNING id
