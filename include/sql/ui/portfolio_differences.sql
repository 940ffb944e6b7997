-- The markets where our figures and the exchange's differ.
SELECT * FROM kalshi_pnl_reconciliation WHERE subaccount IN :subaccounts ORDER BY market_ticker, subaccount LIMIT :most
