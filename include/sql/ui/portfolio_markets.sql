-- The markets that were traded or settled in these days, the latest first, with their P&L since their first fill.
SELECT p.market_ticker AS market, p.event_ticker AS event, p.series_ticker AS series, m.yes_sub_title AS bracket,
  p.subaccount, p.fills, p.traded_pnl, p.settled_pnl, p.realized_pnl AS realized, p.fees, p.realized_pnl - p.fees AS net,
  p.settled_at_utc, f.last_fill_utc
FROM kalshi_pnl_market p
JOIN kalshi_market m ON m.market_ticker = p.market_ticker
JOIN (
  SELECT market_ticker, subaccount, MAX(executed_at_utc) AS last_fill_utc
  FROM kalshi_fill
  WHERE executed_at_utc < :until
  GROUP BY market_ticker, subaccount
) f ON f.market_ticker = p.market_ticker AND f.subaccount = p.subaccount
WHERE p.subaccount IN :subaccounts AND (:series = '' OR p.series_ticker = :series)
  AND (f.last_fill_utc >= :since OR (p.settled_at_utc >= :since AND p.settled_at_utc < :until))
ORDER BY GREATEST(f.last_fill_utc, COALESCE(p.settled_at_utc, f.last_fill_utc)) DESC, p.market_ticker, p.subaccount
LIMIT :most
