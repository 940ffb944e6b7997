-- The settlement value is 1 dollar for yes, 0 for no, and between 0 and 1 for any other result.
SELECT market_ticker, result, settlement_value
FROM {batch}
WHERE result = 'yes' AND settlement_value <> 1 OR result = 'no' AND settlement_value <> 0
  OR settlement_value NOT BETWEEN 0 AND 1
