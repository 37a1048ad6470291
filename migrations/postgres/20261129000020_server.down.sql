DROP TABLE {schema}.attune_audit;
DROP TABLE {schema}.attune_session;
DROP TABLE {schema}.attune_token;
