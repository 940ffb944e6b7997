-- A YES pays 1 dollar, a NO nothing, anything else a value between.
SELECT market_ticker, result, settlement_value
FROM {batch}
WHERE result = 'yes' AND settlement_value <> 1 OR result = 'no' AND settlement_value <> 0
  OR settlement_value NOT BETWEEN 0 AND 1
