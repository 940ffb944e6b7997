-- While an event is open, at least one of its markets has a candle every quality.gap_minutes.
-- Events without any candles are caught by market_has_candles.
SELECT event_ticker, minute_utc + INTERVAL 1 MINUTE AS silent_from_utc, next_utc AS silent_to_utc,
  TIMESTAMPDIFF(MINUTE, minute_utc, next_utc) - 1 AS minutes
FROM (
  SELECT marked.*, LEAD(minute_utc) OVER (PARTITION BY event_ticker ORDER BY minute_utc) AS next_utc,
    SUM(is_candle) OVER (PARTITION BY event_ticker) AS candles
  FROM (
    SELECT STRAIGHT_JOIN DISTINCT m.event_ticker, c.bucket_start_utc AS minute_utc, 1 AS is_candle
    FROM kalshi_candle_1m c JOIN kalshi_market m ON m.market_ticker = c.market_ticker
    WHERE c.market_ticker IN :markets AND c.bucket_start_utc >= :start AND c.bucket_start_utc < :end
    UNION ALL
    SELECT e.event_ticker, GREATEST(MIN(m.open_time_utc), :start) - INTERVAL 1 MINUTE, 0
    FROM {batch} AS e JOIN kalshi_market m ON m.event_ticker = e.event_ticker GROUP BY e.event_ticker
    UNION ALL
    SELECT e.event_ticker, LEAST(MAX(m.close_time_utc), :end), 0
    FROM {batch} AS e JOIN kalshi_market m ON m.event_ticker = e.event_ticker GROUP BY e.event_ticker
  ) AS marked
) AS spaced
WHERE candles > 0 AND TIMESTAMPDIFF(MINUTE, minute_utc, next_utc) - 1 >= :gap_minutes
