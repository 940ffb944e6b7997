-- The windows whose prices were read to their end, and whether the series' catalog was: on its own, or with the whole
-- exchange (*).
SELECT s.series_ticker AS series, w.job, w.window_start_utc AS start, w.window_end_utc AS end
FROM kalshi_series s
JOIN kalshi_checkpoint w ON w.scope IN (s.series_ticker, '*')
WHERE s.series_ticker IN :series AND w.state = 'COMPLETE'
  AND (w.job = 'catalog' OR w.job = 'candles' AND w.window_start_utc < :end AND w.window_end_utc > :start)
ORDER BY series, w.job, start
LIMIT 60000
