DROP TABLE IF EXISTS {schema}.attune_worker_operator_taint;
DROP TABLE IF EXISTS {schema}.attune_worker_cordon;
