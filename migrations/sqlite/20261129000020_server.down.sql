DROP TABLE main.attune_audit;
DROP TABLE main.attune_session;
DROP TABLE main.attune_token;
