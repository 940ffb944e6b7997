-- Where our figures and the exchange's differ in these subaccounts, as text.
SELECT market_ticker AS market, subaccount, differs_in,
  CAST(our_quantity AS CHAR) AS our_quantity, CAST(exchange_quantity AS CHAR) AS exchange_quantity,
  CAST(our_realized_pnl AS CHAR) AS our_realized_pnl, CAST(exchange_realized_pnl AS CHAR) AS exchange_realized_pnl,
  CAST(our_fees AS CHAR) AS our_fees, CAST(exchange_fees AS CHAR) AS exchange_fees
FROM kalshi_pnl_reconciliation
WHERE subaccount IN :subaccounts
ORDER BY market_ticker, subaccount
LIMIT :most
