-- The latest balance of each of these subaccounts, in dollars, as text rounded to the cent.
SELECT DATE_FORMAT(balance_date, '%Y-%m-%d') AS day, subaccount, CAST(ROUND(balance, 2) AS CHAR) AS balance,
  CAST(ROUND(portfolio_value, 2) AS CHAR) AS portfolio_value
FROM kalshi_balance b
WHERE subaccount IN :subaccounts
  AND balance_date = (SELECT MAX(balance_date) FROM kalshi_balance WHERE subaccount = b.subaccount)
ORDER BY subaccount
