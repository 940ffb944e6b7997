-- A market that is open in the window for at least quality.gap_minutes has a candle in it.
SELECT m.market_ticker, m.open_time_utc, m.close_time_utc
FROM {batch} AS m
LEFT JOIN kalshi_coverage c ON c.run_id = :run_id AND c.market_ticker = m.market_ticker
WHERE TIMESTAMPDIFF(MINUTE, GREATEST(m.open_time_utc, :start), LEAST(m.close_time_utc, :end)) >= :gap_minutes
GROUP BY m.market_ticker, m.open_time_utc, m.close_time_utc
HAVING COALESCE(SUM(c.present_minutes), 0) = 0
