-- The first candle of a market comes within quality.open_minutes of its open, and those minutes are continuous with the
-- rest. Markets without any candle in the window are found by market_has_candles.
SELECT m.market_ticker, m.open_time_utc, c.minutes_open_to_first
FROM {batch} AS m
JOIN kalshi_coverage c ON c.run_id = :run_id AND c.market_ticker = m.market_ticker
WHERE c.minutes_open_to_first > :open_minutes
