-- A market that has ever traded, and is open in the window for at least quality.gap_minutes, has a candle in it. One
-- that nobody trades or quotes has none at the exchange.
SELECT m.market_ticker, m.open_time_utc, m.close_time_utc
FROM {batch} AS m
LEFT JOIN kalshi_coverage c ON c.run_id = :run_id AND c.market_ticker = m.market_ticker
WHERE COALESCE(m.volume, 1) > 0
  AND TIMESTAMPDIFF(MINUTE, GREATEST(m.open_time_utc, :start), LEAST(m.close_time_utc, :end)) >= :gap_minutes
GROUP BY m.market_ticker, m.open_time_utc, m.close_time_utc
HAVING COALESCE(SUM(c.present_minutes), 0) = 0
