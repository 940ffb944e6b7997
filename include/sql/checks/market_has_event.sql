-- Every market belongs to an existing event.
SELECT m.market_ticker, m.event_ticker
FROM {batch} AS m
LEFT JOIN kalshi_event e ON e.event_ticker = m.event_ticker
WHERE e.event_ticker IS NULL
