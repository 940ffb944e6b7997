-- The subaccounts of which anything is known.
SELECT subaccount FROM kalshi_balance UNION SELECT subaccount FROM kalshi_traded_market
UNION SELECT subaccount FROM kalshi_position
ORDER BY subaccount
LIMIT 64
