-- Every settled market with a result has a settlement.
SELECT m.market_ticker, m.status, m.result, m.settlement_ts_utc
FROM {batch} AS m
LEFT JOIN kalshi_settlement s ON s.market_ticker = m.market_ticker
WHERE m.status IN ('finalized', 'settled') AND m.result IS NOT NULL AND s.market_ticker IS NULL
