-- The markets of an event, by strike. Result and payment come from the settlement, else from the market itself.
SELECT m.market_ticker AS market, COALESCE(NULLIF(m.yes_sub_title, ''), m.market_ticker) AS bracket, m.status,
  m.floor_strike, m.cap_strike, m.yes_bid, m.yes_ask, m.last_price, m.volume, m.open_interest, m.open_time_utc,
  m.close_time_utc, COALESCE(s.result, NULLIF(m.result, '')) AS result,
  COALESCE(s.settlement_value, m.settlement_value) AS paid, m.expiration_value,
  COALESCE(s.settled_at_utc, m.settlement_ts_utc) AS settled_at_utc, s.settled_at_source,
  s.market_ticker IS NOT NULL AS has_settlement
FROM kalshi_market m
LEFT JOIN kalshi_settlement s ON s.market_ticker = m.market_ticker
WHERE m.event_ticker = :event
ORDER BY COALESCE(m.floor_strike, m.cap_strike - 1000000), m.cap_strike, m.market_ticker
LIMIT 2000
