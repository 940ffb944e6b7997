-- The quotes of the given markets at these minutes, from the table that has a row for every minute.
SELECT market_ticker AS market, bucket_start_utc AS at, yes_bid_close AS bid, yes_ask_close AS ask
FROM kalshi_candle_1m_dense
WHERE market_ticker IN :markets AND bucket_start_utc IN :moments
ORDER BY market_ticker, bucket_start_utc
LIMIT 20000
