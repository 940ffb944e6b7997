-- The fills of one market that no later fill closed: still open, or paid by the settlement.
SELECT executed_at_utc, subaccount, outcome, open_quantity AS contracts, price, open_quantity * price AS cost, fill_id
FROM kalshi_lot
WHERE market_ticker = :market AND open_quantity > 0
ORDER BY executed_at_utc, fill_id
LIMIT 2000
