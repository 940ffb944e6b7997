-- What the jobs that read prices and trades know to be missing: of a market, on the day of its event; of a whole series,
-- on every day (UTC) that the gap touches.
SELECT IF(g.scope = '*', m.series_ticker, g.scope) AS series, g.job, g.market_ticker AS market, g.reason,
  COALESCE(e.event_date, DATE(g.window_start_utc)) AS first,
  COALESCE(e.event_date, DATE(g.window_end_utc - INTERVAL 1 MICROSECOND)) AS last
FROM kalshi_gap g
LEFT JOIN kalshi_market m ON m.market_ticker = g.market_ticker
LEFT JOIN kalshi_event e ON e.event_ticker = m.event_ticker
WHERE g.job IN :jobs AND (g.scope IN :series OR g.scope = '*' AND m.series_ticker IN :series) AND g.accepted_reason IS NULL
  AND COALESCE(e.event_date, DATE(g.window_start_utc)) <= :last
  AND COALESCE(e.event_date, DATE(g.window_end_utc - INTERVAL 1 MICROSECOND)) >= :first
ORDER BY first, g.job
LIMIT 20000
