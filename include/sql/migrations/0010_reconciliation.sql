-- Settled markets against the exchange's own volume. All times are UTC; volumes are contracts.

-- kalshi_reconciliation: settled markets: the exchange's own volume against that of the stored trades and candles
--   market_ticker: a settled market
CREATE TABLE IF NOT EXISTS kalshi_reconciliation (
  market_ticker        VARCHAR(120)  NOT NULL,
  series_ticker        VARCHAR(120)  NOT NULL COMMENT 'the series of the market',
  exchange_volume      DECIMAL(20,2) NULL COMMENT 'the volume that the exchange gives for the market; null: not known',
  trade_volume         DECIMAL(20,2) NOT NULL COMMENT 'the sum of the stored trades, block trades included',
  block_trade_volume   DECIMAL(20,2) NOT NULL COMMENT 'of those, the block trades; whether the exchange counts them is not documented',
  candle_volume        DECIMAL(20,2) NOT NULL COMMENT 'the sum of the stored candles of the source api_event',
  trades               BIGINT UNSIGNED NOT NULL COMMENT 'how many trades are stored',
  candles              BIGINT UNSIGNED NOT NULL COMMENT 'how many candles of the source api_event are stored',
  trades_verdict       VARCHAR(16)   NOT NULL COMMENT 'proven: agrees with the exchange; short or over: fewer or more contracts; unread: not read in full, or changed since it was proven',
  candles_verdict      VARCHAR(16)   NOT NULL COMMENT 'the same of the candles',
  trades_reason        VARCHAR(1000) NULL COMMENT 'why the trades are not proven',
  candles_reason       VARCHAR(1000) NULL COMMENT 'why the candles are not proven',
  differing_minutes    BIGINT UNSIGNED NULL COMMENT 'minutes in which trades and candles disagree, as last counted; null: never counted. In a proven market the exchange itself disagrees',
  trades_checksum      BIGINT UNSIGNED NULL COMMENT 'of the trades when they were last proven or read again in full: other rows are not proven',
  candles_checksum     BIGINT UNSIGNED NULL COMMENT 'the same of the candles',
  readings             INT           NOT NULL DEFAULT 0 COMMENT 'how often the market was read again because it was not proven',
  read_again_at_utc    DATETIME(6)   NULL COMMENT 'when it was last read again; null: never',
  read_again_checksum  BIGINT UNSIGNED NULL COMMENT 'of its trades and candles after that: while they stay the same, it is read again only after reconciliation.wait_days',
  checked_at_utc       DATETIME(6)   NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when it was last compared',
  run_id               BIGINT UNSIGNED NOT NULL COMMENT 'the run that last changed the figures or a verdict',
  updated_at_utc       DATETIME(6)   NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6) COMMENT 'when that was',
  PRIMARY KEY (market_ticker),
  KEY series (series_ticker),
  CONSTRAINT kalshi_reconciliation_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
