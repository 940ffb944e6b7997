-- Open and close of bid, ask and trades lie between their low and high.
SELECT market_ticker, bucket_start_utc, source, yes_bid_open, yes_bid_high, yes_bid_low, yes_bid_close,
  yes_ask_open, yes_ask_high, yes_ask_low, yes_ask_close, trade_open, trade_high, trade_low, trade_close
FROM {batch}
WHERE yes_bid_low > LEAST(yes_bid_open, yes_bid_close) OR yes_bid_high < GREATEST(yes_bid_open, yes_bid_close)
  OR yes_ask_low > LEAST(yes_ask_open, yes_ask_close) OR yes_ask_high < GREATEST(yes_ask_open, yes_ask_close)
  OR trade_low > LEAST(trade_open, trade_close) OR trade_high < GREATEST(trade_open, trade_close)
