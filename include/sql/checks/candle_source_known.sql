-- Candles come from the exchange's candles (api_event) or are made from its trades.
SELECT market_ticker, bucket_start_utc, source
FROM {batch}
WHERE source NOT IN ('api_event', 'trades')
