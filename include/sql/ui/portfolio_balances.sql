-- Cash and the exchange's valuation of the positions, by UTC day and subaccount.
SELECT balance_date AS day, subaccount, balance AS cash, portfolio_value AS positions,
  balance + portfolio_value AS equity, exchange_updated_at_utc AS as_of
FROM kalshi_balance
WHERE subaccount IN :subaccounts AND balance_date BETWEEN :first AND :last
ORDER BY balance_date, subaccount
LIMIT 50000
