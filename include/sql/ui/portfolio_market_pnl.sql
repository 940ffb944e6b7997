-- The P&L of one market by subaccount, beside the exchange's own figures.
SELECT p.subaccount, p.quantity, p.cost_basis AS cost, p.current_price AS bid, p.unrealized_pnl AS unrealized,
  p.traded_pnl, p.settled_pnl, p.realized_pnl AS realized, p.fees, p.realized_pnl - p.fees AS net,
  x.realized_pnl AS exchange_realized, x.fees_paid AS exchange_fees
FROM kalshi_pnl_market p
LEFT JOIN kalshi_exchange_position x ON x.market_ticker = p.market_ticker AND x.subaccount = p.subaccount
WHERE p.market_ticker = :market
ORDER BY p.subaccount
LIMIT 64
