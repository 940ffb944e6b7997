-- The subaccounts of which anything is known.
SELECT subaccount FROM kalshi_balance UNION SELECT subaccount FROM kalshi_fill UNION SELECT subaccount FROM kalshi_position
ORDER BY subaccount
LIMIT 64
