-- Snapshot prices are between 0 and 1 dollar; sizes, volume and open interest are not negative.
SELECT market_ticker, snapshot_at_utc, yes_bid, yes_ask, last_price, yes_bid_size, yes_ask_size, volume, open_interest
FROM {batch}
WHERE yes_bid NOT BETWEEN 0 AND 1 OR yes_ask NOT BETWEEN 0 AND 1 OR last_price NOT BETWEEN 0 AND 1
  OR yes_bid_size < 0 OR yes_ask_size < 0 OR volume < 0 OR open_interest < 0
