-- The user's own portfolio. All times are UTC; prices and money are dollars, counts are contracts.
-- Each foreign key has its own index, declared before any longer one: see 0002_catalog.sql.

-- kalshi_position: your positions, by market and subaccount: quantity, prices, realised P&L, when opened and closed
CREATE TABLE IF NOT EXISTS kalshi_position (
  market_ticker      VARCHAR(120) NOT NULL,
  subaccount         SMALLINT UNSIGNED NOT NULL COMMENT '0 is the primary account',
  position_id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'referenced by kalshi_fill',
  quantity           DECIMAL(20,2) NOT NULL COMMENT 'negative: contracts of NO; 0: closed',
  avg_price          DECIMAL(18,6) NULL COMMENT 'the exchange''s cost of the open contracts, per contract of the side held',
  current_price      DECIMAL(18,6) NULL COMMENT 'what a contract of the side held sells for at the bid: for NO 1 - yes_ask',
  realized_pnl       DECIMAL(24,8) NOT NULL COMMENT 'by the exchange, before fees',
  fees_paid          DECIMAL(24,8) NOT NULL COMMENT 'by the exchange',
  opened_at_utc      DATETIME(6)  NOT NULL COMMENT 'the fill that opened it; if unknown, the exchange''s last update when it was first seen',
  closed_at_utc      DATETIME(6)  NULL COMMENT 'the settlement or fill that closed it, else when it was found to be gone; null while open',
  last_synced_at_utc DATETIME(6)  NULL COMMENT 'when the exchange last listed it, or listed all positions without it',
  run_id             BIGINT UNSIGNED NOT NULL,
  created_at_utc     DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc     DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, subaccount),
  UNIQUE KEY position (position_id),
  KEY subaccount (subaccount, quantity),
  CONSTRAINT kalshi_position_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_exchange_position: the exchange's own quantity, P&L and fees of every market that you traded
--   quantity: negative: contracts of NO
--   fees_paid: fees of the market
--   total_traded: the exchange's total_traded_dollars
CREATE TABLE IF NOT EXISTS kalshi_exchange_position (
  market_ticker   VARCHAR(120) NOT NULL,
  subaccount      SMALLINT UNSIGNED NOT NULL,
  list            VARCHAR(16)  NOT NULL COMMENT 'the exchange''s list that it is in: unsettled, settled, archived',
  quantity        DECIMAL(20,2) NOT NULL,
  exposure        DECIMAL(24,8) NOT NULL COMMENT 'what the open contracts cost',
  realized_pnl    DECIMAL(24,8) NOT NULL COMMENT 'before fees',
  fees_paid       DECIMAL(24,8) NOT NULL,
  total_traded    DECIMAL(24,8) NULL,
  exchange_updated_at_utc DATETIME(6) NULL,
  run_id          BIGINT UNSIGNED NOT NULL,
  updated_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, subaccount),
  KEY subaccount (subaccount, list),
  CONSTRAINT kalshi_exchange_position_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_fill: your executions, each with its cost and the position it belongs to
--   fill_id: the exchange's id
--   order_id: the order that was filled
--   yes_price: dollars per contract of YES
--   no_price: dollars per contract of NO
--   fee_cost: dollars of fees
--   is_taker: whether the order took liquidity
--   executed_at_utc: when it was filled
CREATE TABLE IF NOT EXISTS kalshi_fill (
  fill_id         VARCHAR(64)  NOT NULL,
  market_ticker   VARCHAR(120) NOT NULL,
  subaccount      SMALLINT UNSIGNED NOT NULL,
  position_id     BIGINT UNSIGNED NULL COMMENT 'the position of its market and subaccount; null if none was ever seen open',
  order_id        VARCHAR(64)  NULL,
  action          VARCHAR(16)  NOT NULL COMMENT 'buy or sell',
  side            VARCHAR(16)  NOT NULL COMMENT 'what was bought or sold: yes or no',
  outcome         VARCHAR(16)  NOT NULL COMMENT 'the outcome whose position it increases: buying NO and selling YES are both no',
  quantity        DECIMAL(20,2) NOT NULL COMMENT 'contracts, may be fractional',
  price           DECIMAL(10,6) NOT NULL COMMENT 'per contract of the side',
  yes_price       DECIMAL(10,6) NOT NULL,
  no_price        DECIMAL(10,6) NOT NULL,
  total_cost      DECIMAL(24,8) NOT NULL COMMENT 'price × quantity, exact',
  fee_cost        DECIMAL(24,8) NOT NULL,
  is_taker        BOOLEAN NULL,
  executed_at_utc DATETIME(6)  NOT NULL,
  run_id          BIGINT UNSIGNED NOT NULL,
  created_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (fill_id),
  KEY market (market_ticker),
  KEY position (position_id),
  KEY market_executed (market_ticker, subaccount, executed_at_utc),
  KEY executed (subaccount, executed_at_utc),
  CONSTRAINT kalshi_fill_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker),
  CONSTRAINT kalshi_fill_position FOREIGN KEY (position_id) REFERENCES kalshi_position (position_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_portfolio_settlement: what the markets that you held paid
--   settled_at_utc: when it was paid
--   yes_count: contracts of YES
--   yes_total_cost: dollars paid for them
--   no_count: contracts of NO
--   no_total_cost: dollars paid for them
CREATE TABLE IF NOT EXISTS kalshi_portfolio_settlement (
  market_ticker   VARCHAR(120) NOT NULL,
  settled_at_utc  DATETIME(6)  NOT NULL,
  subaccount      SMALLINT UNSIGNED NOT NULL,
  event_ticker    VARCHAR(120) NOT NULL,
  result          VARCHAR(64)  NOT NULL COMMENT 'yes, no or scalar',
  value           DECIMAL(18,6) NULL COMMENT 'dollars paid per contract of YES',
  yes_count       DECIMAL(20,2) NOT NULL,
  yes_total_cost  DECIMAL(24,8) NOT NULL,
  no_count        DECIMAL(20,2) NOT NULL,
  no_total_cost   DECIMAL(24,8) NOT NULL,
  revenue         DECIMAL(24,8) NOT NULL COMMENT 'dollars, in whole cents',
  fee_cost        DECIMAL(24,8) NOT NULL COMMENT 'all fees of the market, including those of its fills',
  run_id          BIGINT UNSIGNED NOT NULL,
  created_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, settled_at_utc, subaccount),
  KEY settled (subaccount, settled_at_utc),
  CONSTRAINT kalshi_portfolio_settlement_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_balance: your cash and the value of your positions, a row per UTC day
CREATE TABLE IF NOT EXISTS kalshi_balance (
  balance_date      DATE NOT NULL COMMENT 'the UTC day; the last sync of the day wins',
  subaccount        SMALLINT UNSIGNED NOT NULL,
  balance           DECIMAL(24,8) NOT NULL COMMENT 'cash',
  portfolio_value   DECIMAL(24,8) NOT NULL COMMENT 'the exchange''s valuation of the open positions, in whole cents',
  exchange_updated_at_utc DATETIME(6) NOT NULL,
  run_id            BIGINT UNSIGNED NOT NULL,
  created_at_utc    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (balance_date, subaccount)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_lot: each fill matched first in, first out, and how much of it is still open
--   *: as in kalshi_fill
--   price: dollars per contract of the outcome
--   until_count: contracts of the outcome taken by this fill and all before it
--   number: the fill's place among those of its outcome, from 1
--   other_count: all contracts of the other outcome
--   open_quantity: contracts that no fill of the other outcome has closed
-- First in, first out. A YES and a NO contract add up to a dollar, so the n-th YES contract that an account bought
-- closes, or is closed by, the n-th NO. Each fill is an interval on the line of its outcome's contracts, from
-- until_count - quantity to until_count; whatever lies beyond the end of the other line (other_count) is open.
-- All windows start with the same columns: MariaDB 10.11 sorts once for all of them, even when it must not.
CREATE OR REPLACE VIEW kalshi_lot AS
SELECT
  counted.*,
  LEAST(counted.quantity, GREATEST(0, counted.until_count - counted.other_count)) AS open_quantity
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
) counted;

-- kalshi_closed_lot: which fill closed which, and what that earned
--   yes_fill_id: the fill of YES, in kalshi_fill
--   no_fill_id: the fill of NO, in kalshi_fill
--   quantity: contracts that closed each other
--   yes_price: what the YES cost
--   no_price: what the NO cost
--   realized_pnl: dollars, before fees
--   opened_at_utc: the earlier of the two fills
--   closed_at_utc: the later of the two fills
-- Which fill closed which: both lines are cut wherever a fill of either ends, and each piece belongs to the YES fill
-- and the NO fill that end next. (Joining the overlapping intervals would be quadratic in a market's fills, and so is
-- MIN() as a window function on MariaDB.)
CREATE OR REPLACE VIEW kalshi_closed_lot AS
SELECT
  piece.market_ticker,
  piece.subaccount,
  y.fill_id AS yes_fill_id,
  n.fill_id AS no_fill_id,
  piece.until_count - piece.from_count AS quantity,
  y.price AS yes_price,
  n.price AS no_price,
  (piece.until_count - piece.from_count) * (1 - y.price - n.price) AS realized_pnl,
  LEAST(y.executed_at_utc, n.executed_at_utc) AS opened_at_utc,
  GREATEST(y.executed_at_utc, n.executed_at_utc) AS closed_at_utc
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
      SELECT MAX(latest.settled_at_utc) FROM kalshi_portfolio_settlement latest
      WHERE latest.market_ticker = lots.market_ticker AND latest.subaccount = lots.subaccount
    )
  LEFT JOIN kalshi_price_snapshot seen
    ON seen.market_ticker = lots.market_ticker AND lots.yes_open + lots.no_open > 0
    AND seen.snapshot_at_utc = (
      SELECT MAX(snapshot_at_utc) FROM kalshi_price_snapshot latest WHERE latest.market_ticker = lots.market_ticker
    )
) held;

-- kalshi_pnl_event: P&L by event
--   *: as in kalshi_pnl_market
--   markets: markets with fills
--   open_markets: markets with open contracts
CREATE OR REPLACE VIEW kalshi_pnl_event AS
SELECT
  event_ticker,
  subaccount,
  MAX(series_ticker) AS series_ticker,
  COUNT(*) AS markets,
  SUM(quantity <> 0) AS open_markets,
  SUM(cost_basis) AS cost_basis,
  SUM(traded_pnl) AS traded_pnl,
  SUM(settled_pnl) AS settled_pnl,
  SUM(realized_pnl) AS realized_pnl,
  SUM(unrealized_pnl) AS unrealized_pnl,
  SUM(fees) AS fees,
  SUM(fills) AS fills
FROM kalshi_pnl_market
GROUP BY event_ticker, subaccount;

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
  SELECT DATE(closed_at_utc) AS day, market_ticker, subaccount, realized_pnl, 0 AS fees FROM kalshi_closed_lot
  UNION ALL
  SELECT DATE(settled_at_utc), market_ticker, subaccount, settled_pnl, 0 FROM kalshi_pnl_market WHERE settled_pnl <> 0
  UNION ALL
  SELECT DATE(executed_at_utc), market_ticker, subaccount, 0, fee_cost FROM kalshi_fill
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
    every.market_ticker,
    every.subaccount,
    CONCAT_WS(', ',
      IF(COALESCE(ours.quantity, 0) <> IF(theirs.list = 'unsettled', theirs.quantity, 0), 'quantity', NULL),
      IF(ROUND(COALESCE(ours.realized_pnl, 0), 6) <> theirs.realized_pnl, 'realized_pnl', NULL),
      IF(ROUND(COALESCE(ours.fees, 0), 6) <> theirs.fees_paid, 'fees', NULL)
    ) AS differs_in,
    theirs.list AS exchange_list,
    COALESCE(ours.quantity, 0) AS our_quantity,
    theirs.quantity AS exchange_quantity,
    COALESCE(ours.realized_pnl, 0) AS our_realized_pnl,
    theirs.realized_pnl AS exchange_realized_pnl,
    COALESCE(ours.fees, 0) AS our_fees,
    theirs.fees_paid AS exchange_fees
  FROM (
    SELECT market_ticker, subaccount FROM kalshi_fill
    UNION SELECT market_ticker, subaccount FROM kalshi_exchange_position
  ) every
  LEFT JOIN kalshi_pnl_market ours
    ON ours.market_ticker = every.market_ticker AND ours.subaccount = every.subaccount
  LEFT JOIN kalshi_exchange_position theirs
    ON theirs.market_ticker = every.market_ticker AND theirs.subaccount = every.subaccount
) compared
WHERE differs_in <> '';
