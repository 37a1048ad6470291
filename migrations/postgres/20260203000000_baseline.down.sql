-- CASCADE is never used, because it would drop objects of others.

DROP TABLE {schema}.worker;
DROP TABLE {schema}.sensor;
DROP TABLE {schema}.action;
DROP TABLE {schema}.runtime;
DROP TABLE {schema}.pack;

DROP TYPE {schema}.worker_role_enum;
DROP TYPE {schema}.worker_status_enum;
DROP TYPE {schema}.worker_type_enum;
DROP TYPE {schema}.runtime_type_enum;
