-- The quotes of an event's markets at a moment: those of the last candle that began by then.
SELECT c.market_ticker AS market, c.bucket_start_utc AS at, c.yes_bid_close AS bid, c.yes_ask_close AS ask
FROM (
  SELECT m.market_ticker, (
    SELECT c.bucket_start_utc FROM kalshi_candle_1m c
    WHERE c.market_ticker = m.market_ticker AND c.bucket_start_utc <= :moment AND c.source = 'api_event'
    ORDER BY c.bucket_start_utc DESC LIMIT 1
  ) AS bucket_start_utc
  FROM kalshi_market m
  WHERE m.event_ticker = :event
  LIMIT 2000
) latest
JOIN kalshi_candle_1m c
  ON c.market_ticker = latest.market_ticker AND c.bucket_start_utc = latest.bucket_start_utc AND c.source = 'api_event'
