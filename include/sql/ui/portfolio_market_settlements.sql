-- What the settlement of one market paid.
SELECT settled_at_utc, subaccount, result, value, yes_count, no_count, revenue, fee_cost AS fees
FROM kalshi_portfolio_settlement
WHERE market_ticker = :market
ORDER BY settled_at_utc, subaccount
LIMIT 64
