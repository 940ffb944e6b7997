-- Trades lie within their market's life.
SELECT trade_id, market_ticker, executed_at_utc, open_time_utc, close_time_utc
FROM {batch}
WHERE executed_at_utc < open_time_utc OR executed_at_utc > close_time_utc
