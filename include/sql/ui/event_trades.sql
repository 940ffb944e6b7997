-- The largest trades of the given markets in a time range.
SELECT market_ticker AS market, executed_at_utc AS at, yes_price AS price, `count` AS contracts, taker_side,
  is_block_trade
FROM kalshi_trade
WHERE market_ticker IN :markets AND executed_at_utc BETWEEN :since AND :until
ORDER BY `count` DESC, executed_at_utc DESC
LIMIT :most
