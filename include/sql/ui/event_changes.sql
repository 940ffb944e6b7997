-- Settlements of the event that were amended.
SELECT c.market_ticker AS market, c.old_result, c.new_result, c.old_settlement_value, c.new_settlement_value, c.changed_at_utc
FROM kalshi_market m
JOIN kalshi_settlement_change c ON c.market_ticker = m.market_ticker
WHERE m.event_ticker = :event
ORDER BY c.id DESC
LIMIT 50
