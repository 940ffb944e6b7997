-- A mutually exclusive event whose markets are all settled has exactly one YES. Events with results other than yes and
-- no are skipped.
SELECT e.event_ticker, COUNT(s.market_ticker) AS settled, SUM(s.result = 'yes') AS yes
FROM {batch} AS e
JOIN kalshi_market m ON m.event_ticker = e.event_ticker
LEFT JOIN kalshi_settlement s ON s.market_ticker = m.market_ticker
WHERE COALESCE(e.mutually_exclusive, TRUE)
GROUP BY e.event_ticker
HAVING COUNT(s.market_ticker) = COUNT(*) AND SUM(s.result NOT IN ('yes', 'no')) = 0 AND SUM(s.result = 'yes') <> 1
