DROP TABLE IF EXISTS {schema}.attune_requirement;
DROP TABLE IF EXISTS {schema}.attune_runtime_version;
DROP TABLE IF EXISTS {schema}.attune_runtime_state;
