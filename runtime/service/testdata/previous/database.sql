-- What is in the database before the worker comes: two definitions, and a worker
-- from before there were identities.
INSERT INTO runtime (ref, name, aliases, distributions) VALUES
    ('core.python', 'Python', '["python", "python3"]', '{"verification": {"commands": [{"binary": "python3", "args": ["--version"]}]}}'),
    ('core.native', 'Native', '["native"]', '{"verification": {"always_available": true}}');
INSERT INTO worker (name, worker_type, status) VALUES ('adopted', 'local', 'inactive');
