-- Exactly the snapshots with bid 0 and ask 1 are marked as empty books: that is not a one-dollar spread.
SELECT market_ticker, snapshot_at_utc, yes_bid, yes_ask, is_empty_book
FROM {batch}
WHERE is_empty_book <> COALESCE(yes_bid <= 0 AND yes_ask >= 1, is_empty_book)
