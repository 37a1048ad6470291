DROP TABLE {schema}.attune_requirement;
DROP TABLE {schema}.attune_runtime_version;
DROP TABLE {schema}.attune_runtime_state;
