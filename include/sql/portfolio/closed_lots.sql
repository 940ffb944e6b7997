-- Which fill closed which, of these markets, into kalshi_closed_lot: the lines of both outcomes are cut wherever a fill of
-- either ends, and each piece belongs to the YES fill and the NO fill that end next. Joining the overlapping intervals
-- would be quadratic in a market's fills, and so is MIN() as a window function on MariaDB.
INSERT INTO kalshi_closed_lot (market_ticker, subaccount, yes_fill_id, no_fill_id, quantity, yes_price, no_price,
  realized_pnl, opened_at_utc, closed_at_utc, run_id)
SELECT
  piece.market_ticker,
  piece.subaccount,
  y.fill_id,
  n.fill_id,
  piece.until_count - piece.from_count,
  y.price,
  n.price,
  (piece.until_count - piece.from_count) * (1 - y.price - n.price),
  LEAST(y.executed_at_utc, n.executed_at_utc),
  GREATEST(y.executed_at_utc, n.executed_at_utc),
  :run_id
FROM (
  SELECT
    market_ticker,
    subaccount,
    until_count,
    COALESCE(LAG(until_count) OVER (PARTITION BY market_ticker, subaccount ORDER BY until_count), 0) AS from_count,
    CAST(SUM(yes_ends) OVER (
      PARTITION BY market_ticker, subaccount ORDER BY until_count ROWS UNBOUNDED PRECEDING
    ) - yes_ends + 1 AS UNSIGNED) AS yes_number,
    CAST(SUM(no_ends) OVER (
      PARTITION BY market_ticker, subaccount ORDER BY until_count ROWS UNBOUNDED PRECEDING
    ) - no_ends + 1 AS UNSIGNED) AS no_number
  FROM (
    SELECT market_ticker, subaccount, until_count, SUM(outcome = 'yes') AS yes_ends, SUM(outcome = 'no') AS no_ends
    FROM kalshi_lot
    WHERE subaccount = :subaccount AND market_ticker IN :markets
    GROUP BY market_ticker, subaccount, until_count
  ) ends
) piece
JOIN kalshi_lot y
  ON y.market_ticker = piece.market_ticker AND y.subaccount = piece.subaccount AND y.outcome = 'yes'
  AND y.number = piece.yes_number
JOIN kalshi_lot n
  ON n.market_ticker = piece.market_ticker AND n.subaccount = piece.subaccount AND n.outcome = 'no'
  AND n.number = piece.no_number
WHERE piece.until_count > piece.from_count;
