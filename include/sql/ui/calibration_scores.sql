-- How well prices foretold results, by series, month and decision: sums over the markets that settled yes or no. The
-- Brier score of a market is the squared distance of its price from its result, 1 or 0; its log loss is minus the
-- logarithm of the probability that the price gave to what happened, which counts as at least :least.
SELECT series, decision, CAST(event_date - INTERVAL DAY(event_date) - 1 DAY AS CHAR) AS month, COUNT(*) AS events,
  CAST(SUM(markets) AS SIGNED) AS markets, CAST(SUM(won) AS SIGNED) AS won, SUM(price) AS price, SUM(brier) AS brier,
  SUM(loss) AS loss
FROM (
  SELECT series_ticker AS series, event_date, event_ticker, decision, COUNT(*) AS markets, SUM(won) AS won,
    SUM(price) AS price, SUM((price - won) * (price - won)) AS brier,
    SUM(-LN(GREATEST(:least, IF(won, price, 1 - price)))) AS loss
  FROM (
    SELECT d.series_ticker, d.event_date, d.event_ticker, d.decision, m.result = 'yes' AS won,
      CASE :price WHEN 'bid' THEN d.yes_bid WHEN 'ask' THEN d.yes_ask ELSE (d.yes_bid + d.yes_ask) / 2 END AS price
    FROM kalshi_decision_coverage d
    STRAIGHT_JOIN kalshi_market m ON m.market_ticker = d.market_ticker AND m.result IN ('yes', 'no')
    WHERE d.is_latest = 1 AND d.series_ticker IN :series AND d.event_date BETWEEN :first AND :last
      AND d.quote_known AND d.yes_ask - d.yes_bid <= :spread
  ) quote
  GROUP BY series_ticker, event_date, event_ticker, decision
) event
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
LIMIT 20000
