-- The windows that a job gave up on, by job and scope: no run has read them completely since.
SELECT job, scope, COUNT(*) AS windows, MIN(window_start_utc) AS first_utc, MAX(window_end_utc) AS last_utc,
  MIN(updated_at_utc) AS since_utc, MAX(error) AS error
FROM kalshi_checkpoint
WHERE state = 'FAILED'
GROUP BY job, scope
ORDER BY job, scope
LIMIT 20000
