-- The open positions by our fills, the most expensive first; a sale at the bid would bring their value.
SELECT p.market_ticker AS market, p.event_ticker AS event, p.series_ticker AS series, m.yes_sub_title AS bracket,
  p.subaccount, IF(p.quantity < 0, 'no', 'yes') AS side, ABS(p.quantity) AS contracts,
  p.cost_basis / ABS(p.quantity) AS paid, p.current_price AS bid, p.cost_basis AS cost,
  ABS(p.quantity) * p.current_price AS value, p.unrealized_pnl AS unrealized, m.close_time_utc AS closes_at_utc
FROM kalshi_pnl_market p
JOIN kalshi_market m ON m.market_ticker = p.market_ticker
WHERE p.quantity <> 0 AND p.subaccount IN :subaccounts AND (:series = '' OR p.series_ticker = :series)
ORDER BY p.cost_basis DESC, p.market_ticker, p.subaccount
LIMIT 20000
