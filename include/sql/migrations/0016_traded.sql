-- What trading a market came to, summed once by the writer of fills: the portfolio page summed all lots of the account
-- for every figure.

-- kalshi_traded_market: what the fills of a market and subaccount add up to; what a settlement pays isn't in it
CREATE TABLE IF NOT EXISTS kalshi_traded_market (
  market_ticker  VARCHAR(120) NOT NULL,
  subaccount     SMALLINT UNSIGNED NOT NULL,
  quantity       DECIMAL(20,2) NOT NULL COMMENT 'contracts that the fills left; negative: NO',
  yes_open       DECIMAL(20,2) NOT NULL COMMENT 'contracts of YES that no fill has closed',
  no_open        DECIMAL(20,2) NOT NULL COMMENT 'contracts of NO that no fill has closed',
  open_cost      DECIMAL(30,8) NOT NULL COMMENT 'dollars that the open contracts cost',
  traded_pnl     DECIMAL(30,8) NOT NULL COMMENT 'dollars realised by closing trades, before fees',
  fees           DECIMAL(30,8) NOT NULL COMMENT 'dollars of fees of all fills',
  fills          INT UNSIGNED  NOT NULL COMMENT 'number of fills',
  last_fill_utc  DATETIME(6)   NOT NULL COMMENT 'when the last of them was filled',
  run_id         BIGINT UNSIGNED NOT NULL COMMENT 'the run that matched the fills of the market last',
  updated_at_utc DATETIME(6)   NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, subaccount),
  KEY subaccount (subaccount),
  CONSTRAINT kalshi_traded_market_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_traded_day: the fills of a market and subaccount on a UTC day, and what they realised by closing others
CREATE TABLE IF NOT EXISTS kalshi_traded_day (
  market_ticker  VARCHAR(120) NOT NULL,
  subaccount     SMALLINT UNSIGNED NOT NULL,
  day            DATE          NOT NULL COMMENT 'the UTC day of the fills',
  traded_pnl     DECIMAL(30,8) NOT NULL COMMENT 'dollars realised by closing trades, before fees',
  fees           DECIMAL(30,8) NOT NULL COMMENT 'dollars of fees of the day''s fills',
  fills          INT UNSIGNED  NOT NULL COMMENT 'number of fills',
  run_id         BIGINT UNSIGNED NOT NULL COMMENT 'the run that matched the fills of the market last',
  updated_at_utc DATETIME(6)   NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, subaccount, day),
  KEY earned (subaccount, day, traded_pnl, fees),
  CONSTRAINT kalshi_traded_day_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

DELETE FROM kalshi_traded_market;
DELETE FROM kalshi_traded_day;

-- The statements of include/sql/portfolio, for all lots.
INSERT INTO kalshi_traded_market (market_ticker, subaccount, quantity, yes_open, no_open, open_cost, traded_pnl, fees,
  fills, last_fill_utc, run_id)
SELECT
  market_ticker,
  subaccount,
  SUM(IF(outcome = 'yes', quantity, -quantity)),
  SUM(IF(outcome = 'yes', open_quantity, 0)),
  SUM(IF(outcome = 'no', open_quantity, 0)),
  SUM(open_quantity * price),
  SUM(IF(outcome = 'yes', quantity - open_quantity, 0)) - SUM((quantity - open_quantity) * price),
  SUM(fee_cost),
  COUNT(*),
  MAX(executed_at_utc),
  MAX(run_id)
FROM kalshi_lot
GROUP BY market_ticker, subaccount;

INSERT INTO kalshi_traded_day (market_ticker, subaccount, day, traded_pnl, fees, fills, run_id)
SELECT market_ticker, subaccount, DATE(at_utc), SUM(realized_pnl), SUM(fee_cost), SUM(fills), MAX(run_id)
FROM (
  SELECT market_ticker, subaccount, executed_at_utc AS at_utc, 0 AS realized_pnl, fee_cost, 1 AS fills, run_id
  FROM kalshi_lot
  UNION ALL
  SELECT market_ticker, subaccount, closed_at_utc, realized_pnl, 0, 0, run_id
  FROM kalshi_closed_lot
) traded
GROUP BY market_ticker, subaccount, DATE(at_utc);

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
--   last_fill_utc: when the last of them was filled
-- P&L per market and subaccount. Contracts still open when a market is final were settled: by the account's own
-- settlement, or (since the exchange archives those) by the market's result. Fees are separate.
CREATE OR REPLACE VIEW kalshi_pnl_market AS
SELECT
  held.market_ticker,
  held.subaccount,
  held.event_ticker,
  held.series_ticker,
  held.settled_at_utc,
  IF(held.payout IS NULL, held.quantity, 0) AS quantity,
  IF(held.payout IS NULL, held.open_cost, 0) AS cost_basis,
  IF(held.payout IS NULL, held.price, NULL) AS current_price,
  held.traded_pnl,
  -- A NO pays a dollar less the payout: of both outcomes together, the contracts of NO and the payout of the rest.
  COALESCE(held.no_open + held.quantity * held.payout - held.open_cost, 0) AS settled_pnl,
  held.traded_pnl + COALESCE(held.no_open + held.quantity * held.payout - held.open_cost, 0) AS realized_pnl,
  IF(held.payout IS NULL, (held.yes_open + held.no_open) * held.price - held.open_cost, 0) AS unrealized_pnl,
  held.fees,
  held.fills,
  held.last_fill_utc
FROM (
  SELECT
    traded.*,
    market.event_ticker,
    market.series_ticker,
    CASE
      WHEN traded.yes_open + traded.no_open = 0 THEN NULL
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
    IF(traded.quantity > 0,
      IF(seen.observed_at_utc > market.updated_at_utc, seen.yes_bid, market.yes_bid),
      1 - IF(seen.observed_at_utc > market.updated_at_utc, seen.yes_ask, market.yes_ask)) AS price
  FROM kalshi_traded_market traded
  JOIN kalshi_market market ON market.market_ticker = traded.market_ticker
  LEFT JOIN kalshi_portfolio_settlement paid
    ON paid.market_ticker = traded.market_ticker AND paid.subaccount = traded.subaccount
    AND paid.settled_at_utc = (
      SELECT MAX(latest.settled_at_utc) FROM kalshi_portfolio_settlement latest FORCE INDEX (PRIMARY)
      WHERE latest.market_ticker = traded.market_ticker AND latest.subaccount = traded.subaccount
    )
  LEFT JOIN kalshi_price_snapshot seen
    ON seen.market_ticker = traded.market_ticker AND traded.yes_open + traded.no_open > 0
    AND seen.snapshot_at_utc = (
      SELECT MAX(snapshot_at_utc) FROM kalshi_price_snapshot latest WHERE latest.market_ticker = traded.market_ticker
    )
) held;

-- kalshi_pnl_day: realised P&L and fees by UTC day and series
--   day: the UTC day
--   realized_pnl: dollars realised on that day, before fees
--   fees: dollars of fees of that day's fills
-- P&L by the day it was earned: closed lots on the day of the later fill, settlements and fees on their own day.
CREATE OR REPLACE VIEW kalshi_pnl_day AS
SELECT
  earned.day,
  earned.subaccount,
  market.series_ticker,
  SUM(earned.realized_pnl) AS realized_pnl,
  SUM(earned.fees) AS fees
FROM (
  SELECT day, market_ticker, subaccount, traded_pnl AS realized_pnl, fees FROM kalshi_traded_day
  UNION ALL
  SELECT DATE(settled_at_utc), market_ticker, subaccount, settled_pnl, 0 FROM kalshi_pnl_market WHERE settled_pnl <> 0
) earned
JOIN kalshi_market market ON market.market_ticker = earned.market_ticker
GROUP BY earned.day, earned.subaccount, market.series_ticker;

-- kalshi_pnl_reconciliation: the markets where our quantity, realised P&L or fees differ from the exchange's; empty when all is well
--   differs_in: which of quantity, realized_pnl and fees differ
--   exchange_list: where the exchange lists it: unsettled, settled, archived
--   our_quantity: open contracts by our fills; negative: NO
--   exchange_quantity: open contracts by the exchange
--   our_realized_pnl: dollars by our fills and settlements
--   exchange_realized_pnl: dollars by the exchange
--   our_fees: dollars of fees by our fills
--   exchange_fees: dollars of fees by the exchange
-- Where our figures and the exchange's differ, to the micro-dollar. Of a market that the exchange doesn't list, only
-- the quantity is compared: it must be 0.
CREATE OR REPLACE VIEW kalshi_pnl_reconciliation AS
SELECT * FROM (
  SELECT
    market_ticker,
    subaccount,
    CONCAT_WS(', ',
      IF(our_quantity <> IF(exchange_list = 'unsettled', exchange_quantity, 0), 'quantity', NULL),
      IF(ROUND(our_realized_pnl, 6) <> exchange_realized_pnl, 'realized_pnl', NULL),
      IF(ROUND(our_fees, 6) <> exchange_fees, 'fees', NULL)
    ) AS differs_in,
    exchange_list,
    our_quantity,
    exchange_quantity,
    our_realized_pnl,
    exchange_realized_pnl,
    our_fees,
    exchange_fees
  FROM (
    SELECT
      ours.market_ticker,
      ours.subaccount,
      theirs.list AS exchange_list,
      ours.quantity AS our_quantity,
      theirs.quantity AS exchange_quantity,
      ours.realized_pnl AS our_realized_pnl,
      theirs.realized_pnl AS exchange_realized_pnl,
      ours.fees AS our_fees,
      theirs.fees_paid AS exchange_fees
    FROM kalshi_pnl_market ours
    LEFT JOIN kalshi_exchange_position theirs
      ON theirs.market_ticker = ours.market_ticker AND theirs.subaccount = ours.subaccount
    UNION ALL
    SELECT theirs.market_ticker, theirs.subaccount, theirs.list, 0, theirs.quantity, 0, theirs.realized_pnl, 0,
      theirs.fees_paid
    FROM kalshi_exchange_position theirs
    LEFT JOIN kalshi_traded_market ours
      ON ours.market_ticker = theirs.market_ticker AND ours.subaccount = theirs.subaccount
    WHERE ours.market_ticker IS NULL
  ) listed
) compared
WHERE differs_in <> '';
