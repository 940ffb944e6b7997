-- The markets and subaccounts whose lots, or the sums of them, aren't those of their fills: a fill is new, was changed,
-- has moved or is gone.
SELECT subaccount, market_ticker
FROM (
  SELECT subaccount, market_ticker, 1 + CAST(CRC32(CONCAT_WS('|', fill_id, outcome, quantity,
    IF(outcome = 'yes', yes_price, no_price), fee_cost, executed_at_utc)) AS SIGNED) AS mark, 0 AS closed,
    1 AS market_fills, 0 AS market_dollars, 1 AS day_fills, 0 AS day_dollars
  FROM kalshi_fill
  UNION ALL
  SELECT subaccount, market_ticker, -1 - CAST(CRC32(CONCAT_WS('|', fill_id, outcome, quantity, price, fee_cost,
    executed_at_utc)) AS SIGNED), IF(outcome = 'yes', quantity - open_quantity, 0),
    0, fee_cost + open_quantity * price, 0, fee_cost
  FROM kalshi_lot
  UNION ALL
  SELECT subaccount, market_ticker, 0, -quantity, 0, realized_pnl, 0, realized_pnl
  FROM kalshi_closed_lot
  UNION ALL
  SELECT subaccount, market_ticker, 0, 0, -CAST(fills AS SIGNED), -(fees + open_cost + traded_pnl), 0, 0
  FROM kalshi_traded_market
  UNION ALL
  SELECT subaccount, market_ticker, 0, 0, 0, 0, -CAST(fills AS SIGNED), -(fees + traded_pnl)
  FROM kalshi_traded_day
) compared
GROUP BY subaccount, market_ticker
HAVING SUM(mark) <> 0 OR SUM(closed) <> 0
  OR SUM(market_fills) <> 0 OR SUM(market_dollars) <> 0 OR SUM(day_fills) <> 0 OR SUM(day_dollars) <> 0
ORDER BY subaccount, market_ticker
