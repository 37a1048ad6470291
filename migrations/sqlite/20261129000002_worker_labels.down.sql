DROP TRIGGER main.worker_follow_labels_update;
DROP TRIGGER main.worker_follow_labels_insert;
DROP TABLE main.worker_taint;
DROP TABLE main.worker_label;
DROP INDEX main.idx_worker_runtime_prerelease;
