-- When a strategy decides, a quote is known.
SELECT market_ticker, decision, decided_at_utc, candle_present
FROM {batch}
WHERE NOT quote_known
