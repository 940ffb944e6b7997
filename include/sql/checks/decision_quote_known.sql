-- A quote is known at every decision time.
SELECT market_ticker, decision, decided_at_utc, candle_present
FROM {batch}
WHERE NOT quote_known
