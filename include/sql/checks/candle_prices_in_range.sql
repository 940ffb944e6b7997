-- Candle prices are between 0 and 1 dollar.
SELECT market_ticker, bucket_start_utc, source,
  LEAST(COALESCE(yes_bid_low, 0), COALESCE(yes_bid_open, 0), COALESCE(yes_bid_close, 0), COALESCE(yes_ask_low, 0),
    COALESCE(yes_ask_open, 0), COALESCE(yes_ask_close, 0), COALESCE(trade_low, 0), COALESCE(trade_mean, 0),
    COALESCE(trade_previous, 0), COALESCE(trade_min, 0)) AS lowest,
  GREATEST(COALESCE(yes_bid_high, 0), COALESCE(yes_bid_open, 0), COALESCE(yes_bid_close, 0), COALESCE(yes_ask_high, 0),
    COALESCE(yes_ask_open, 0), COALESCE(yes_ask_close, 0), COALESCE(trade_high, 0), COALESCE(trade_mean, 0),
    COALESCE(trade_previous, 0), COALESCE(trade_max, 0)) AS highest
FROM {batch}
WHERE yes_bid_low < 0 OR yes_bid_high > 1 OR yes_ask_low < 0 OR yes_ask_high > 1 OR trade_low < 0 OR trade_high > 1
  OR yes_bid_open NOT BETWEEN 0 AND 1 OR yes_bid_close NOT BETWEEN 0 AND 1
  OR yes_ask_open NOT BETWEEN 0 AND 1 OR yes_ask_close NOT BETWEEN 0 AND 1
  OR trade_mean NOT BETWEEN 0 AND 1 OR trade_previous NOT BETWEEN 0 AND 1
  OR trade_min NOT BETWEEN 0 AND 1 OR trade_max NOT BETWEEN 0 AND 1
