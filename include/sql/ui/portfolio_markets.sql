-- The markets that were traded or settled in these days, the latest first, with their P&L since their first fill.
SELECT p.market_ticker AS market, p.event_ticker AS event, p.series_ticker AS series, m.yes_sub_title AS bracket,
  p.subaccount, p.fills, p.traded_pnl, p.settled_pnl, p.realized_pnl AS realized, p.fees, p.realized_pnl - p.fees AS net,
  p.settled_at_utc, p.last_fill_utc
FROM (
  SELECT market_ticker, subaccount, GREATEST(last_fill_utc, COALESCE(settled_at_utc, last_fill_utc)) AS at_utc
  FROM kalshi_pnl_market k
  WHERE subaccount IN :subaccounts AND (:series = '' OR series_ticker = :series)
    AND (
      (last_fill_utc >= :since AND last_fill_utc < :until)
      OR (settled_at_utc >= :since AND settled_at_utc < :until)
      OR EXISTS (
        SELECT * FROM kalshi_traded_day d
        WHERE d.market_ticker = k.market_ticker AND d.subaccount = k.subaccount AND d.day BETWEEN :first AND :last
      )
    )
  ORDER BY at_utc DESC, market_ticker, subaccount
  LIMIT :most
) latest
JOIN kalshi_pnl_market p ON p.market_ticker = latest.market_ticker AND p.subaccount = latest.subaccount
JOIN kalshi_market m ON m.market_ticker = p.market_ticker
ORDER BY latest.at_utc DESC, market, subaccount
