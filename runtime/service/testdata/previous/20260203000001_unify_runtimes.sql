-- program worker 0.1.0
-- session 1
begin isolation level repeatable read read only
-- session 1

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog')
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
begin
-- session 1
WITH adopted AS (
				UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "host" = 'previous.example', "port" = 8080, "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.9,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'previous' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
				AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/previous')
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			), registered AS (
				INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "host", "port", "status", "capabilities", "identity") SELECT 'previous', 'local', 'action', 'previous.example', 8080, 'inactive', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.9,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'action/previous' WHERE NOT EXISTS (SELECT 1 FROM adopted)
				ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "host" = 'previous.example', "port" = 8080, "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.11.7"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.11.7","version_raw":"Python 3.11.7","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.9,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous'
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 1
commit
-- session 2
begin isolation level repeatable read read only
-- session 2

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog')
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
begin
-- session 2
WITH adopted AS (
				UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'previous' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
				AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/previous')
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			), registered AS (
				INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "identity") SELECT 'previous', 'local', 'action', 'inactive', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'action/previous' WHERE NOT EXISTS (SELECT 1 FROM adopted)
				ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.6,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous'
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 2
commit
-- session 3
begin isolation level repeatable read read only
-- session 3

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog')
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
begin
-- session 3
WITH adopted AS (
				UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'sensor', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.5,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'sensor/previous' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'previous' AND CAST(legacy.worker_role AS pg_catalog.text) = 'sensor'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
				AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'sensor/previous')
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			), registered AS (
				INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "identity") SELECT 'previous', 'local', 'sensor', 'inactive', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.5,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'sensor/previous' WHERE NOT EXISTS (SELECT 1 FROM adopted)
				ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'sensor', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.5,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'sensor/previous'
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 3
commit
-- session 4
begin isolation level repeatable read read only
-- session 4

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog')
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
begin
-- session 4
WITH adopted AS (
				UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'adopted', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.3,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/adopted' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'adopted' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
				AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/adopted')
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			), registered AS (
				INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "identity") SELECT 'adopted', 'local', 'action', 'inactive', '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.3,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'action/adopted' WHERE NOT EXISTS (SELECT 1 FROM adopted)
				ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'adopted', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native","python"],"runtime_versions":{"python":["3.12.1"]},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]},{"ref":"core.python","name":"python","version":"3.12.1","version_raw":"Python 3.12.1","path":"/opt/previous/bin/python3","real_path":"/opt/previous/bin/python3","command":["python3","--version"],"outcome":"available","source":"verified","verified_at":"2026-11-23T23:00:10Z","duration_ms":1.3,"warnings":[]}],"undetected":[],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/adopted'
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 4
commit
-- session 5
begin isolation level repeatable read read only
-- session 5

SELECT n.oid::pg_catalog.int8 AS oid, n.nspname AS schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       c.oid::pg_catalog.int8 AS rel, c.relname AS name, c.relkind::pg_catalog.text AS kind,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS columns,
       pg_catalog.array_agg(t.typname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL) AS types
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pack', 'runtime', 'action', 'sensor', 'worker', 'runtime_version', 'attune_migrations', 'runtime_unification', 'runtime_unification_ledger', 'runtime_unification_catalog')
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
begin
-- session 5
WITH adopted AS (
				UPDATE "public"."worker" AS worker SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native"],"runtime_versions":{},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]}],"undetected":[{"ref":"core.python","name":"python","outcome":"not_found","detail":"python3 is in none of the 1 folders of PATH","hint":"install python3, or add its folder to this service''s PATH"}],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous' WHERE worker.id = (SELECT legacy.id FROM "public"."worker" AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = 'previous' AND CAST(legacy.worker_role AS pg_catalog.text) = 'action'
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1) AND worker.identity IS NULL
				AND NOT EXISTS (SELECT 1 FROM "public"."worker" AS other WHERE other.identity = 'action/previous')
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			), registered AS (
				INSERT INTO "public"."worker" AS worker ("name", "worker_type", "worker_role", "status", "capabilities", "identity") SELECT 'previous', 'local', 'action', 'inactive', '{"format":1,"runtimes":["native"],"runtime_versions":{},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]}],"undetected":[{"ref":"core.python","name":"python","outcome":"not_found","detail":"python3 is in none of the 1 folders of PATH","hint":"install python3, or add its folder to this service''s PATH"}],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', 'action/previous' WHERE NOT EXISTS (SELECT 1 FROM adopted)
				ON CONFLICT (identity) DO UPDATE SET updated = CURRENT_TIMESTAMP, "name" = 'previous', "worker_type" = 'local', "worker_role" = 'action', "status" = 'inactive', "capabilities" = '{"format":1,"runtimes":["native"],"runtime_versions":{},"detected":[{"ref":"core.native","name":"native","outcome":"available","source":"always_available","duration_ms":0,"warnings":[]}],"undetected":[{"ref":"core.python","name":"python","outcome":"not_found","detail":"python3 is in none of the 1 folders of PATH","hint":"install python3, or add its folder to this service''s PATH"}],"source":"database","host":{"os":"linux","arch":"amd64","user":"root","path":["/opt/previous/bin"]},"attune_version":"0.1.0"}', "identity" = 'action/previous'
				RETURNING "id", "name", "worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat", "identity", "instance", "heartbeat_interval", "created", "updated"
			) SELECT * FROM adopted UNION ALL SELECT * FROM registered
-- session 5
commit
