-- The open positions of these subaccounts with the highest cost, in dollars, as text.
SELECT p.market_ticker AS market, p.subaccount, CAST(p.quantity AS CHAR) AS quantity,
  CAST(ROUND(p.avg_price, 4) AS CHAR) AS avg_price, CAST(ROUND(l.current_price, 4) AS CHAR) AS current_price,
  CAST(ROUND(l.cost_basis, 2) AS CHAR) AS cost_basis, CAST(ROUND(l.unrealized_pnl, 2) AS CHAR) AS unrealized_pnl,
  p.opened_at_utc
FROM kalshi_position p
LEFT JOIN kalshi_pnl_market l ON l.market_ticker = p.market_ticker AND l.subaccount = p.subaccount
WHERE p.quantity <> 0 AND p.subaccount IN :subaccounts
ORDER BY l.cost_basis DESC, 1, 2
LIMIT :most
