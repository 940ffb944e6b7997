-- The exchange's own candles have all eight quotes and an open interest.
SELECT market_ticker, bucket_start_utc, source
FROM {batch}
WHERE source = 'api_event' AND (yes_bid_open IS NULL OR yes_bid_high IS NULL OR yes_bid_low IS NULL
  OR yes_bid_close IS NULL OR yes_ask_open IS NULL OR yes_ask_high IS NULL OR yes_ask_low IS NULL
  OR yes_ask_close IS NULL OR open_interest IS NULL)
