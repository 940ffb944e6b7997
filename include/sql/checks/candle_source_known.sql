-- Candles are the exchange's own (api_event) or built from its trades (trades).
SELECT market_ticker, bucket_start_utc, source
FROM {batch}
WHERE source NOT IN ('api_event', 'trades')
