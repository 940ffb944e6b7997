-- The fills of one market, oldest first.
SELECT executed_at_utc, subaccount, action, side, quantity AS contracts, price, total_cost AS cost, fee_cost AS fee,
  IF(is_taker, 'taker', IF(is_taker = 0, 'maker', NULL)) AS liquidity, fill_id
FROM kalshi_fill
WHERE market_ticker = :market
ORDER BY executed_at_utc, fill_id
LIMIT 2000
