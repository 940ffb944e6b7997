-- The markets of these events that paid, and what was measured.
SELECT m.event_ticker AS event, COALESCE(NULLIF(m.yes_sub_title, ''), m.market_ticker) AS bracket,
  COALESCE(s.settlement_value, m.settlement_value) AS paid, m.expiration_value
FROM kalshi_market m
LEFT JOIN kalshi_settlement s ON s.market_ticker = m.market_ticker
WHERE m.event_ticker IN :events AND COALESCE(s.result, NULLIF(m.result, '')) IN ('yes', 'scalar')
ORDER BY m.event_ticker, COALESCE(m.floor_strike, m.cap_strike - 1000000), m.market_ticker
LIMIT 20000
