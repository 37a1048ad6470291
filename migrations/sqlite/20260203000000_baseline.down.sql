-- Children come first, because dropping a referenced table would delete their rows.

DROP TABLE main.worker;
DROP TABLE main.sensor;
DROP TABLE main.action;
DROP TABLE main.runtime_version;
DROP TABLE main.runtime;
DROP TABLE main.pack;
