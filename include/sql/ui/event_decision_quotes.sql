-- The quotes of the event's markets at each decision, according to the latest quality run.
SELECT market_ticker AS market, decision, decided_at_utc, quote_known, quote_age_minutes, yes_bid, yes_ask, spread
FROM kalshi_decision_coverage_latest
WHERE market_ticker IN :markets
ORDER BY decided_at_utc, market_ticker
LIMIT 5000
