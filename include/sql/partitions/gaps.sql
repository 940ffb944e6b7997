-- The gaps in the window that nobody accepted, by job, and a row for each job without one. A gap in the catalog concerns
-- any window: when a market was listed doesn't tell when it trades. What a reading of the whole exchange (*) lacks of one
-- of the series' markets is a gap of the series.
SELECT reading.job, g.market_ticker, g.window_start_utc, g.window_end_utc, g.reason, g.attempts, g.since_utc,
  TIMESTAMPDIFF(HOUR, g.since_utc, :now) AS age_hours,
  EXISTS (
    SELECT 1 FROM kalshi_sync_run r WHERE r.run_id = g.run_id AND r.state = 'running'
      AND r.heartbeat_at_utc > :now - INTERVAL :stale_minutes MINUTE
  ) AS is_being_read
FROM (
  SELECT job FROM kalshi_checkpoint WHERE scope IN (:series, '*')
  UNION
  SELECT job FROM kalshi_gap WHERE scope IN (:series, '*')
) reading
LEFT JOIN kalshi_gap g ON g.job = reading.job AND g.accepted_reason IS NULL
  AND (g.scope = :series OR g.scope = '*' AND EXISTS (
    SELECT 1 FROM kalshi_market m WHERE m.market_ticker = g.market_ticker AND m.series_ticker = :series
  ))
  AND (g.job = 'catalog' OR g.window_start_utc < :end AND g.window_end_utc > :start)
