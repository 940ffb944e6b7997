-- The catalog: series → events → markets. All times are UTC; prices are dollars, counts are contracts.
-- run_id is the run that last changed the row; updated_at_utc changes only when the row does.
-- Each foreign key has its own index, declared before any longer one: MySQL 9.7.4 skips the check of a row
-- if the key's index continues with a column that is null.

-- kalshi_series: series such as KXHIGHNY: title, category, fees, settlement sources
--   series_ticker: such as KXHIGHNY
--   title: the exchange's title
--   category: such as Climate and Weather
--   frequency: how often it has an event, such as daily
--   tags: list of the exchange's tags
--   contract_terms_url: where the contract's terms are
--   fee_type: the exchange's formula for fees
--   fee_multiplier: scales that formula
CREATE TABLE IF NOT EXISTS kalshi_series (
  series_ticker      VARCHAR(120) NOT NULL,
  title              TEXT NULL,
  category           VARCHAR(190) NULL,
  frequency          VARCHAR(64)  NULL,
  tags               JSON NULL,
  settlement_sources JSON NULL COMMENT 'list of {name, url}',
  contract_terms_url TEXT NULL,
  fee_type           VARCHAR(64)  NULL,
  fee_multiplier     DECIMAL(10,6) NULL,
  is_placeholder     BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'a child arrived first; the next catalog sync fills it in',
  raw_json           LONGTEXT NULL COMMENT 'as the exchange sent it, byte for byte',
  run_id             BIGINT UNSIGNED NOT NULL,
  created_at_utc     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (series_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_event: events such as KXHIGHNY-26SEP23, with their local climate date
--   event_ticker: such as KXHIGHNY-26SEP23
--   title: the exchange's title
--   sub_title: the exchange's second line, such as On Sep 23, 2026
--   category: the exchange's category
--   strike_date_utc: the exchange's strike_date
--   strike_period: the exchange's strike_period
--   mutually_exclusive: one market at most settles YES
--   collateral_return_type: MECNET, DIRECNET, or null
CREATE TABLE IF NOT EXISTS kalshi_event (
  event_ticker           VARCHAR(120) NOT NULL,
  series_ticker          VARCHAR(120) NOT NULL,
  title                  TEXT NULL,
  sub_title              TEXT NULL,
  category               VARCHAR(190) NULL,
  strike_date_utc        DATETIME(6) NULL,
  strike_period          VARCHAR(190) NULL,
  event_date             DATE NULL COMMENT 'the local climate date, read from the ticker',
  mutually_exclusive     BOOLEAN NULL,
  collateral_return_type VARCHAR(64) NULL,
  is_placeholder         BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'known only from its markets so far',
  raw_json               LONGTEXT NULL COMMENT 'as the exchange sent it, byte for byte',
  run_id                 BIGINT UNSIGNED NOT NULL,
  created_at_utc         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (event_ticker),
  KEY series (series_ticker),
  KEY series_date (series_ticker, event_date),
  CONSTRAINT kalshi_event_series FOREIGN KEY (series_ticker) REFERENCES kalshi_series (series_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_market: markets: strikes, times, status, result, settlement, latest quotes, the exchange's own JSON
--   market_ticker: such as KXHIGHNY-26SEP23-B74.5
--   title: the exchange's title
--   subtitle: the exchange's subtitle
--   yes_sub_title: what YES means, such as 74° to 75°
--   no_sub_title: what NO means
--   floor_strike: the lower strike; null where strike_type is less
--   cap_strike: the upper strike; null where strike_type is greater
--   functional_strike: the exchange's functional_strike
--   custom_strike: the exchange's custom_strike
--   open_time_utc: when trading begins
--   close_time_utc: when trading ends
--   expiration_time_utc: the exchange's expiration_time
--   expected_expiration_time_utc: the exchange's expected_expiration_time
--   latest_expiration_time_utc: the exchange's latest_expiration_time
--   exchange_created_at_utc: when the exchange made it
--   can_close_early: whether it may close before close_time_utc
--   settlement_timer_seconds: the exchange's settlement_timer_seconds
--   volume: contracts traded so far
--   is_placeholder: a child came first; the next catalog sync fills it
CREATE TABLE IF NOT EXISTS kalshi_market (
  market_ticker                VARCHAR(120) NOT NULL,
  event_ticker                 VARCHAR(120) NOT NULL,
  series_ticker                VARCHAR(120) NOT NULL,
  title                        TEXT NULL,
  subtitle                     TEXT NULL,
  yes_sub_title                TEXT NULL,
  no_sub_title                 TEXT NULL,
  market_type                  VARCHAR(64) NULL COMMENT 'binary or scalar',
  status                       VARCHAR(64) NULL COMMENT 'initialized, inactive, active, closed, determined, disputed, amended, finalized',
  result                       VARCHAR(64) NULL COMMENT 'yes, no, scalar; null until known, never erased',
  settlement_ts_utc            DATETIME(6) NULL COMMENT 'never erased',
  settlement_value             DECIMAL(18,6) NULL COMMENT 'dollars paid per YES contract; never erased',
  expiration_value             TEXT NULL COMMENT 'the measured value, such as 84.00; may not be a number',
  strike_type                  VARCHAR(64) NULL COMMENT 'less, between (both ends included), greater, …',
  floor_strike                 DECIMAL(30,10) NULL,
  cap_strike                   DECIMAL(30,10) NULL,
  functional_strike            TEXT NULL,
  custom_strike                JSON NULL,
  open_time_utc                DATETIME(6) NULL,
  close_time_utc               DATETIME(6) NULL,
  expiration_time_utc          DATETIME(6) NULL,
  expected_expiration_time_utc DATETIME(6) NULL,
  latest_expiration_time_utc   DATETIME(6) NULL,
  exchange_created_at_utc      DATETIME(6) NULL,
  exchange_updated_at_utc      DATETIME(6) NULL,
  can_close_early              BOOLEAN NULL,
  settlement_timer_seconds     BIGINT NULL,
  last_price                   DECIMAL(18,6) NULL,
  yes_bid                      DECIMAL(18,6) NULL COMMENT '0 in an empty book',
  yes_ask                      DECIMAL(18,6) NULL COMMENT '1 in an empty book',
  yes_bid_size                 DECIMAL(20,2) NULL,
  yes_ask_size                 DECIMAL(20,2) NULL,
  volume                       DECIMAL(20,2) NULL,
  volume_24h                   DECIMAL(20,2) NULL,
  open_interest                DECIMAL(20,2) NULL,
  is_placeholder               BOOLEAN NOT NULL DEFAULT FALSE,
  raw_json                     LONGTEXT NULL COMMENT 'as the exchange sent it, byte for byte',
  run_id                       BIGINT UNSIGNED NOT NULL,
  created_at_utc               DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc               DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker),
  KEY event (event_ticker),
  KEY series (series_ticker),
  KEY series_close (series_ticker, close_time_utc),
  KEY status (status, close_time_utc),
  KEY updated (updated_at_utc),
  CONSTRAINT kalshi_market_event FOREIGN KEY (event_ticker) REFERENCES kalshi_event (event_ticker),
  CONSTRAINT kalshi_market_series FOREIGN KEY (series_ticker) REFERENCES kalshi_series (series_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_settlement_change: every change of a known result or settlement value to another
--   id: a number of its own
--   old_result: the result until then
--   new_result: the result since
--   old_settlement_value: the value until then
--   new_settlement_value: the value since
--   run_id: the run that saw it
CREATE TABLE IF NOT EXISTS kalshi_settlement_change (
  id                   BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  market_ticker        VARCHAR(120) NOT NULL,
  old_result           VARCHAR(64) NULL,
  new_result           VARCHAR(64) NULL,
  old_settlement_value DECIMAL(18,6) NULL,
  new_settlement_value DECIMAL(18,6) NULL,
  changed_at_utc       DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when we noticed it',
  run_id               BIGINT UNSIGNED NOT NULL,
  updated_at_utc       DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  KEY market (market_ticker, changed_at_utc),
  CONSTRAINT kalshi_settlement_change_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
