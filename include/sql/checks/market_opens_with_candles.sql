-- A market's first candle comes within quality.open_minutes of its open, so its history starts at the open. Markets
-- without any candle in the window are caught by market_has_candles.
SELECT m.market_ticker, m.open_time_utc, c.minutes_open_to_first
FROM {batch} AS m
JOIN kalshi_coverage c ON c.run_id = :run_id AND c.market_ticker = m.market_ticker
WHERE c.minutes_open_to_first > :open_minutes
