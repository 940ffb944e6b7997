-- The bid of a snapshot is not above its ask.
SELECT market_ticker, snapshot_at_utc, yes_bid, yes_ask
FROM {batch}
WHERE yes_bid > yes_ask
