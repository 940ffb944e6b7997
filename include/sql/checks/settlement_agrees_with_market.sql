-- A settlement agrees with its market.
SELECT s.market_ticker, s.result, m.result AS market_result, s.settlement_value,
  m.settlement_value AS market_settlement_value
FROM {batch} AS s
JOIN kalshi_market m ON m.market_ticker = s.market_ticker
WHERE m.result <> s.result OR m.settlement_value <> s.settlement_value
