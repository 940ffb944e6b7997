-- The requests to the exchange by hour, in the last 24 hours; those of a run count in the hour in which it began.
SELECT CAST(DATE_FORMAT(r.started_at_utc, '%Y-%m-%d %H:00:00') AS DATETIME) AS hour_utc,
  CAST(SUM(r.requests) AS SIGNED) AS requests, CAST(SUM(r.throttled_seconds) AS DOUBLE) AS waited_seconds
FROM (SELECT DISTINCT job, scope FROM kalshi_sync_run) known
JOIN kalshi_sync_run r ON r.job = known.job AND r.scope = known.scope
WHERE r.started_at_utc > UTC_TIMESTAMP(6) - INTERVAL 24 HOUR
GROUP BY hour_utc
ORDER BY hour_utc
LIMIT 25
