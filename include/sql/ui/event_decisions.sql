-- The decision times of the event.
SELECT decision, decided_at_utc AS at FROM kalshi_decision_time WHERE event_ticker = :event ORDER BY decided_at_utc LIMIT 20
