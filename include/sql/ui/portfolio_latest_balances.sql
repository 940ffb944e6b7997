-- The latest balance of each subaccount.
SELECT balance_date AS day, subaccount, balance AS cash, portfolio_value AS positions,
  balance + portfolio_value AS equity, exchange_updated_at_utc AS as_of
FROM kalshi_balance b
WHERE subaccount IN :subaccounts
  AND balance_date = (SELECT MAX(balance_date) FROM kalshi_balance WHERE subaccount = b.subaccount)
ORDER BY subaccount
LIMIT 64
