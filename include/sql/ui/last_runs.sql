-- The latest run of each job over all its scopes; its state is the worst of theirs.
SELECT r.job,
  ELT(MAX(FIELD(r.state, 'success', 'warning', 'running', 'abandoned', 'failed')),
    'success', 'warning', 'running', 'abandoned', 'failed') AS state,
  COUNT(DISTINCT r.scope) AS scopes, MIN(r.started_at_utc) AS started_at_utc, MAX(r.ended_at_utc) AS ended_at_utc,
  CAST(SUM(r.inserted) AS SIGNED) AS inserted, CAST(SUM(r.updated) AS SIGNED) AS updated,
  CAST(SUM(r.rejected) AS SIGNED) AS rejected, CAST(SUM(r.requests) AS SIGNED) AS requests,
  CAST(SUM(r.retries) AS SIGNED) AS retries, MAX(r.dag_run_id) AS dag_run_id
FROM (SELECT job, MAX(run_id) AS run_id FROM kalshi_sync_run GROUP BY job) newest
JOIN kalshi_sync_run latest ON latest.run_id = newest.run_id
JOIN kalshi_sync_run r
  ON r.job = latest.job AND r.dag_run_id <=> latest.dag_run_id
  AND (latest.dag_run_id IS NOT NULL OR r.run_id = latest.run_id)
GROUP BY r.job
ORDER BY r.job
LIMIT 50
