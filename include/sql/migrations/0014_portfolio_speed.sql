-- The view kalshi_pnl_market as it was, with a hint: to find a market's latest settlement, MariaDB went through all of
-- the account's settlements, once per market.

-- kalshi_pnl_market: P&L by market: cost basis, realised by trades and by settlement, unrealised at the bid, fees apart
--   settled_at_utc: when the market settled
--   quantity: open contracts; negative: NO
--   cost_basis: dollars that the open contracts cost
--   current_price: what an open contract would bring at the bid; null once settled
--   traded_pnl: dollars realised by closing trades
--   settled_pnl: dollars realised by the settlement
--   realized_pnl: traded_pnl + settled_pnl, before fees
--   unrealized_pnl: open contracts at the bid, less their cost
--   fees: dollars of fees of all fills
--   fills: number of fills
-- P&L per market and subaccount. Contracts still open when a market is final were settled: by the account's own
-- settlement, or (since the exchange archives those) by the market's result. Fees are separate.
CREATE OR REPLACE VIEW kalshi_pnl_market AS
SELECT
  held.market_ticker,
  held.subaccount,
  held.event_ticker,
  held.series_ticker,
  held.settled_at_utc,
  IF(held.payout IS NULL, held.position, 0) AS quantity,
  IF(held.payout IS NULL, held.open_cost, 0) AS cost_basis,
  IF(held.payout IS NULL, held.price, NULL) AS current_price,
  held.closed_count - held.closed_cost AS traded_pnl,
  COALESCE(held.yes_open * held.payout + held.no_open * (1 - held.payout) - held.open_cost, 0) AS settled_pnl,
  held.closed_count - held.closed_cost
    + COALESCE(held.yes_open * held.payout + held.no_open * (1 - held.payout) - held.open_cost, 0) AS realized_pnl,
  IF(held.payout IS NULL, (held.yes_open + held.no_open) * held.price - held.open_cost, 0) AS unrealized_pnl,
  held.fees,
  held.fills
FROM (
  SELECT
    lots.*,
    market.event_ticker,
    market.series_ticker,
    CASE
      WHEN lots.yes_open + lots.no_open = 0 THEN NULL
      WHEN paid.result = 'yes' THEN 1
      WHEN paid.result = 'no' THEN 0
      WHEN paid.result IS NOT NULL THEN COALESCE(market.settlement_value, paid.value)
      WHEN market.status NOT IN ('finalized', 'settled') THEN NULL
      WHEN market.result = 'yes' THEN 1
      WHEN market.result = 'no' THEN 0
      ELSE market.settlement_value
    END AS payout,
    COALESCE(paid.settled_at_utc, IF(market.status IN ('finalized', 'settled'),
      COALESCE(market.settlement_ts_utc, market.close_time_utc), NULL)) AS settled_at_utc,
    -- The quotes of the latest snapshot, if it is newer than the market's own.
    IF(lots.position > 0,
      IF(seen.observed_at_utc > market.updated_at_utc, seen.yes_bid, market.yes_bid),
      1 - IF(seen.observed_at_utc > market.updated_at_utc, seen.yes_ask, market.yes_ask)) AS price
  FROM (
    SELECT
      market_ticker,
      subaccount,
      SUM(IF(outcome = 'yes', quantity, -quantity)) AS position,
      SUM(IF(outcome = 'yes', open_quantity, 0)) AS yes_open,
      SUM(IF(outcome = 'no', open_quantity, 0)) AS no_open,
      SUM(open_quantity * price) AS open_cost,
      SUM(IF(outcome = 'yes', quantity - open_quantity, 0)) AS closed_count,
      SUM((quantity - open_quantity) * price) AS closed_cost,
      SUM(fee_cost) AS fees,
      COUNT(*) AS fills
    FROM kalshi_lot
    GROUP BY market_ticker, subaccount
  ) lots
  JOIN kalshi_market market ON market.market_ticker = lots.market_ticker
  LEFT JOIN kalshi_portfolio_settlement paid
    ON paid.market_ticker = lots.market_ticker AND paid.subaccount = lots.subaccount
    AND paid.settled_at_utc = (
      SELECT MAX(latest.settled_at_utc) FROM kalshi_portfolio_settlement latest FORCE INDEX (PRIMARY)
      WHERE latest.market_ticker = lots.market_ticker AND latest.subaccount = lots.subaccount
    )
  LEFT JOIN kalshi_price_snapshot seen
    ON seen.market_ticker = lots.market_ticker AND lots.yes_open + lots.no_open > 0
    AND seen.snapshot_at_utc = (
      SELECT MAX(snapshot_at_utc) FROM kalshi_price_snapshot latest WHERE latest.market_ticker = lots.market_ticker
    )
) held;
