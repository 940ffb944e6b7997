-- At the close of a minute the bid is not above the ask.
SELECT market_ticker, bucket_start_utc, source, yes_bid_close, yes_ask_close
FROM {batch}
WHERE yes_bid_close > yes_ask_close
