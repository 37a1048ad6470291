DROP TABLE IF EXISTS {schema}.attune_audit;
DROP TABLE IF EXISTS {schema}.attune_session;
DROP TABLE IF EXISTS {schema}.attune_token;
