-- Which fills of one market closed which, first in, first out.
SELECT opened_at_utc, closed_at_utc, subaccount, quantity AS contracts, yes_price, no_price,
  quantity * (yes_price + no_price) AS cost, realized_pnl AS realized, yes_fill_id, no_fill_id
FROM kalshi_closed_lot
WHERE market_ticker = :market
ORDER BY closed_at_utc, opened_at_utc, yes_fill_id, no_fill_id
LIMIT 4000
