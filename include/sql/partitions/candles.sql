-- The candles in the window, with their market's open and close.
SELECT STRAIGHT_JOIN c.*, m.event_ticker, m.open_time_utc, m.close_time_utc
FROM kalshi_candle_1m c
JOIN kalshi_market m ON m.market_ticker = c.market_ticker
WHERE c.market_ticker IN :markets AND c.bucket_start_utc >= :start AND c.bucket_start_utc < :end
