-- The runs of other jobs on these scopes since the previous run of the job that :run_ids belong to.
SELECT r.job, r.report
FROM kalshi_sync_run r
JOIN (
  SELECT job, MIN(run_id) AS first_run FROM kalshi_sync_run WHERE run_id IN :run_ids GROUP BY job
) mine ON r.job <> mine.job
WHERE r.report IS NOT NULL AND r.scope IN :scopes AND r.ended_at_utc > COALESCE((
  SELECT MAX(b.started_at_utc) FROM kalshi_sync_run b
  WHERE b.job = mine.job AND b.scope IN :scopes AND b.run_id < mine.first_run
), '1970-01-01')
