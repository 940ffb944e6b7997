-- The highest bid of a minute is not above its lowest ask. A normal minute in which the price moved may break this.
SELECT market_ticker, bucket_start_utc, source, yes_bid_high, yes_ask_low
FROM {batch}
WHERE yes_bid_high > yes_ask_low
