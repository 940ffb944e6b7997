-- What a person accepts for a time of what data quality finds. All times are UTC.

-- kalshi_quality_acknowledgement: broken rules of data quality that a person knows of: until their last day they don't count on the overview
CREATE TABLE IF NOT EXISTS kalshi_quality_acknowledgement (
  check_name          VARCHAR(64)   NOT NULL COMMENT 'the rule, as in kalshi_quality_result',
  series_ticker       VARCHAR(120)  NOT NULL DEFAULT '' COMMENT 'the series; empty: every series',
  reason              VARCHAR(1000) NOT NULL COMMENT 'why the rule may stay broken',
  until_day           DATE          NOT NULL COMMENT 'the last UTC day on which it counts as acknowledged',
  acknowledged_by     VARCHAR(250)  NOT NULL COMMENT 'the user of Airflow, or of the machine, who said so',
  acknowledged_at_utc DATETIME(6)   NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when that was',
  updated_at_utc      DATETIME(6)   NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (check_name, series_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
