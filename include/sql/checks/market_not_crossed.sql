-- The bid of a market is not above its ask.
SELECT market_ticker, yes_bid, yes_ask
FROM {batch}
WHERE yes_bid > yes_ask
