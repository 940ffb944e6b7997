-- The months of the table :table that the DAG run :dag_run_id has dropped, with their rows and the files that they
-- were exported to.
SELECT d.month, d.row_count, d.exported_to
FROM kalshi_dropped_month d JOIN kalshi_sync_run r ON r.run_id = d.run_id
WHERE d.table_name = :table AND d.state = 'dropped' AND r.dag_run_id = :dag_run_id
ORDER BY d.month
