-- The windows that jobs read of the series in the window of this run, each with how far the windows before it reach.
-- A gap of the whole series that a person accepted counts as a window, and so does a complete window of the whole
-- exchange (*).
SELECT w.job, w.window_start_utc, w.window_end_utc, w.read_until_utc, w.state, w.attempts, w.error,
  w.state = 'RUNNING' AND EXISTS (
    SELECT 1 FROM kalshi_sync_run r WHERE r.run_id = w.run_id AND r.state = 'running'
      AND r.heartbeat_at_utc > :now - INTERVAL :stale_minutes MINUTE
  ) AS is_being_read,
  -- Reopened since it was read, and no run has come by yet.
  w.state = 'FAILED' AND COALESCE((
    SELECT MAX(g.run_id) = 0 FROM kalshi_gap g WHERE g.job = w.job AND g.scope = :series AND g.accepted_reason IS NULL
      AND g.window_start_utc < w.window_end_utc AND g.window_end_utc > w.window_start_utc
  ), FALSE) AS is_waiting
FROM (
  SELECT every.*, MAX(window_end_utc) OVER (
      PARTITION BY job ORDER BY window_start_utc, window_end_utc ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS read_until_utc
  FROM (
    SELECT job, window_start_utc, window_end_utc, state, attempts, error, run_id
    FROM kalshi_checkpoint WHERE scope = :series OR scope = '*' AND state = 'COMPLETE'
    UNION ALL
    SELECT job, window_start_utc, window_end_utc, 'ACCEPTED', attempts, NULL, run_id
    FROM kalshi_gap WHERE scope = :series AND market_ticker = '' AND accepted_reason IS NOT NULL
    UNION ALL
    -- What was dropped on purpose.
    SELECT IF(table_name = 'kalshi_trade', 'trades', 'candles'), month, month + INTERVAL 1 MONTH, 'ACCEPTED', 0, NULL,
      run_id
    FROM kalshi_dropped_month WHERE table_name IN ('kalshi_trade', 'kalshi_candle_1m')
  ) every
) w
WHERE LEAST(w.window_start_utc, COALESCE(w.read_until_utc, w.window_start_utc)) < :end AND w.window_end_utc > :start
