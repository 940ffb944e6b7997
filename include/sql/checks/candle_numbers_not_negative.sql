-- Volume and open interest of candles are not negative.
SELECT market_ticker, bucket_start_utc, source, volume, open_interest
FROM {batch}
WHERE volume < 0 OR open_interest < 0
