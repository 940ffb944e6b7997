-- One market that was traded: what it is, and what it paid.
SELECT m.market_ticker AS market, m.event_ticker AS event, m.series_ticker AS series, m.yes_sub_title AS bracket,
  e.title, m.status, m.result, m.settlement_value, m.yes_bid, m.yes_ask, m.close_time_utc AS closes_at_utc
FROM kalshi_market m
LEFT JOIN kalshi_event e ON e.event_ticker = m.event_ticker
WHERE m.market_ticker = :market AND EXISTS (SELECT 1 FROM kalshi_fill f WHERE f.market_ticker = m.market_ticker)
LIMIT 1
