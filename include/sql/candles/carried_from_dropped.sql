-- What the markets :tickers carried into the minute :start from before it, where kalshi_retention has dropped an earlier
-- month of candles.
SELECT market_ticker, CAST(yes_bid_open AS CHAR), CAST(yes_ask_open AS CHAR), CAST(open_interest AS CHAR),
  CAST(trade_previous AS CHAR)
FROM kalshi_candle_1m_dense
WHERE market_ticker IN :tickers AND bucket_start_utc = :start AND NOT source <=> 'api_event'
  AND EXISTS (SELECT 1 FROM kalshi_dropped_month WHERE table_name = :candles AND state = 'dropped' AND month < :start)
