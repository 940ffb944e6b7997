-- The markets and subaccounts whose lots aren't those of their fills: a fill is new, was changed, has moved or is gone.
SELECT subaccount, market_ticker
FROM (
  SELECT subaccount, market_ticker, 1 + CAST(CRC32(CONCAT_WS('|', fill_id, outcome, quantity,
    IF(outcome = 'yes', yes_price, no_price), fee_cost, executed_at_utc)) AS SIGNED) AS mark, 0 AS closed
  FROM kalshi_fill
  UNION ALL
  SELECT subaccount, market_ticker, -1 - CAST(CRC32(CONCAT_WS('|', fill_id, outcome, quantity, price, fee_cost,
    executed_at_utc)) AS SIGNED), IF(outcome = 'yes', quantity - open_quantity, 0)
  FROM kalshi_lot
  UNION ALL
  SELECT subaccount, market_ticker, 0, -quantity
  FROM kalshi_closed_lot
) compared
GROUP BY subaccount, market_ticker
HAVING SUM(mark) <> 0 OR SUM(closed) <> 0
ORDER BY subaccount, market_ticker
