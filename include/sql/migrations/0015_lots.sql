-- Lots as tables, which the writer of fills keeps: as views they matched all fills anew for every figure of the
-- portfolio page. The fills that are stored are matched here once.

DROP VIEW IF EXISTS kalshi_closed_lot;
DROP VIEW IF EXISTS kalshi_lot;

-- kalshi_lot: each fill matched first in, first out, and how much of it is still open
-- First in, first out. A YES and a NO contract add up to a dollar, so the n-th YES contract that an account bought
-- closes, or is closed by, the n-th NO. Each fill is an interval on the line of its outcome's contracts, from
-- until_count - quantity to until_count; whatever lies beyond the end of the other line is open.
CREATE TABLE IF NOT EXISTS kalshi_lot (
  market_ticker   VARCHAR(120) NOT NULL,
  subaccount      SMALLINT UNSIGNED NOT NULL,
  outcome         VARCHAR(16)  NOT NULL COMMENT 'the outcome whose position the fill increases: yes or no',
  number          BIGINT UNSIGNED NOT NULL COMMENT 'the fill''s place among those of its outcome, from 1',
  fill_id         VARCHAR(64)  NOT NULL COMMENT 'the fill, in kalshi_fill',
  quantity        DECIMAL(20,2) NOT NULL COMMENT 'contracts, may be fractional',
  open_quantity   DECIMAL(20,2) NOT NULL COMMENT 'contracts that no fill of the other outcome has closed',
  until_count     DECIMAL(30,2) NOT NULL COMMENT 'contracts of the outcome taken by this fill and all before it',
  price           DECIMAL(10,6) NOT NULL COMMENT 'dollars per contract of the outcome',
  fee_cost        DECIMAL(24,8) NOT NULL COMMENT 'dollars of fees',
  executed_at_utc DATETIME(6)  NOT NULL COMMENT 'when it was filled',
  run_id          BIGINT UNSIGNED NOT NULL COMMENT 'the run that matched the fills of the market last',
  updated_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, subaccount, outcome, number),
  UNIQUE KEY fill (fill_id),
  CONSTRAINT kalshi_lot_fill FOREIGN KEY (fill_id) REFERENCES kalshi_fill (fill_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_closed_lot: which fill closed which, and what that earned
CREATE TABLE IF NOT EXISTS kalshi_closed_lot (
  market_ticker   VARCHAR(120) NOT NULL,
  subaccount      SMALLINT UNSIGNED NOT NULL,
  yes_fill_id     VARCHAR(64)  NOT NULL COMMENT 'the fill of YES, in kalshi_fill',
  no_fill_id      VARCHAR(64)  NOT NULL COMMENT 'the fill of NO, in kalshi_fill',
  quantity        DECIMAL(20,2) NOT NULL COMMENT 'contracts that closed each other',
  yes_price       DECIMAL(10,6) NOT NULL COMMENT 'what the YES cost',
  no_price        DECIMAL(10,6) NOT NULL COMMENT 'what the NO cost',
  realized_pnl    DECIMAL(30,8) NOT NULL COMMENT 'dollars, before fees',
  opened_at_utc   DATETIME(6)  NOT NULL COMMENT 'the earlier of the two fills',
  closed_at_utc   DATETIME(6)  NOT NULL COMMENT 'the later of the two fills',
  run_id          BIGINT UNSIGNED NOT NULL COMMENT 'the run that matched the fills of the market last',
  updated_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, subaccount, yes_fill_id, no_fill_id),
  KEY yes_fill (yes_fill_id),
  KEY no_fill (no_fill_id),
  KEY closed (subaccount, closed_at_utc, market_ticker, realized_pnl),
  CONSTRAINT kalshi_closed_lot_yes FOREIGN KEY (yes_fill_id) REFERENCES kalshi_fill (fill_id),
  CONSTRAINT kalshi_closed_lot_no FOREIGN KEY (no_fill_id) REFERENCES kalshi_fill (fill_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

DELETE FROM kalshi_closed_lot;
DELETE FROM kalshi_lot;

-- The statements of include/sql/portfolio, for all fills.
-- All windows start with the same columns: MariaDB 10.11 sorts once for all of them, even when it must not.
INSERT INTO kalshi_lot (market_ticker, subaccount, outcome, number, fill_id, quantity, open_quantity, until_count, price,
  fee_cost, executed_at_utc, run_id)
SELECT market_ticker, subaccount, outcome, number, fill_id, quantity,
  LEAST(quantity, GREATEST(0, until_count - other_count)), until_count, price, fee_cost, executed_at_utc, run_id
FROM (
  SELECT
    fill_id, market_ticker, subaccount, outcome, quantity, executed_at_utc, fee_cost, run_id,
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
  GREATEST(y.run_id, n.run_id)
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
