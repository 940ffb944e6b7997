-- If anybody quotes, the spread at the close is fillable. An empty book has no spread and doesn't count as wide.
SELECT market_ticker, bucket_start_utc, source, yes_bid_close, yes_ask_close, yes_ask_close - yes_bid_close AS spread
FROM {batch}
WHERE (yes_bid_close > 0 OR yes_ask_close < 1) AND yes_ask_close - yes_bid_close > :max_spread
