-- Matches the fills of these markets first in, first out, into kalshi_lot.
-- All windows start with the same columns: MariaDB 10.11 sorts once for all of them, even when it must not.
INSERT INTO kalshi_lot (market_ticker, subaccount, outcome, number, fill_id, quantity, open_quantity, until_count, price,
  fee_cost, executed_at_utc, run_id)
SELECT market_ticker, subaccount, outcome, number, fill_id, quantity,
  LEAST(quantity, GREATEST(0, until_count - other_count)), until_count, price, fee_cost, executed_at_utc, :run_id
FROM (
  SELECT
    fill_id, market_ticker, subaccount, outcome, quantity, executed_at_utc, fee_cost,
    IF(outcome = 'yes', yes_price, no_price) AS price,
    SUM(quantity) OVER (
      PARTITION BY market_ticker, subaccount, outcome ORDER BY executed_at_utc, fill_id ROWS UNBOUNDED PRECEDING
    ) AS until_count,
    ROW_NUMBER() OVER (
      PARTITION BY market_ticker, subaccount, outcome ORDER BY executed_at_utc, fill_id
    ) AS number,
    SUM(quantity) OVER (PARTITION BY market_ticker, subaccount)
      - SUM(quantity) OVER (PARTITION BY market_ticker, subaccount, outcome) AS other_count
  FROM kalshi_fill
  WHERE subaccount = :subaccount AND market_ticker IN :markets
) counted;
