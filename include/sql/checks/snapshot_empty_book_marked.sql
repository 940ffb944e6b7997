-- A snapshot with bid 0 and ask 1 is marked as an empty book, and no other: it is no 99-cent spread.
SELECT market_ticker, snapshot_at_utc, yes_bid, yes_ask, is_empty_book
FROM {batch}
WHERE is_empty_book <> COALESCE(yes_bid <= 0 AND yes_ask >= 1, is_empty_book)
