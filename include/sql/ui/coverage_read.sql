-- The windows whose prices were read to their end, and whether the series' catalog was.
SELECT scope AS series, job, window_start_utc AS start, window_end_utc AS end
FROM kalshi_checkpoint
WHERE scope IN :series AND state = 'COMPLETE'
  AND (job = 'catalog' OR job = 'candles' AND window_start_utc < :end AND window_end_utc > :start)
ORDER BY scope, job, start
LIMIT 60000
