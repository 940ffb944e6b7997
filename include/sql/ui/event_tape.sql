-- A page of an event's trades, or of one of its markets', the latest first.
SELECT t.executed_at_utc AS at, t.market_ticker AS market, t.yes_price AS price, t.`count` AS contracts, t.taker_side,
  t.is_block_trade, t.trade_id
FROM (
  SELECT t.trade_id
  FROM kalshi_market m
  JOIN kalshi_trade t ON t.market_ticker = m.market_ticker
  WHERE m.event_ticker = :event AND (:market = '' OR m.market_ticker = :market)
  ORDER BY t.executed_at_utc DESC, t.trade_id DESC
  LIMIT :most OFFSET :skipped
) page
JOIN kalshi_trade t ON t.trade_id = page.trade_id
ORDER BY t.executed_at_utc DESC, t.trade_id DESC
