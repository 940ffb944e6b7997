-- The brackets of a mutually exclusive event cover everything, with no gaps and no overlaps. "less" and "greater" are
-- strict, "between" includes both ends; events with other strike types are skipped.
SELECT event_ticker, market_ticker, strike_type, floor_strike, cap_strike, ends_before, begins
FROM (
  SELECT bracket.*,
    LAG(COALESCE(ends, begins)) OVER (PARTITION BY event_ticker ORDER BY begins) AS ends_before,
    ROW_NUMBER() OVER (PARTITION BY event_ticker ORDER BY begins) AS place,
    COUNT(*) OVER (PARTITION BY event_ticker) AS brackets,
    SUM(is_plain) OVER (PARTITION BY event_ticker) AS plain
  FROM (
    SELECT m.event_ticker, m.market_ticker, m.strike_type, m.floor_strike, m.cap_strike,
      m.strike_type IN ('less', 'less_or_equal', 'between', 'greater', 'greater_or_equal') AS is_plain,
      CASE WHEN m.strike_type IN ('less', 'less_or_equal') THEN -1e15
        WHEN m.strike_type = 'greater' THEN m.floor_strike + :strike_step
        ELSE m.floor_strike END AS begins,
      CASE WHEN m.strike_type = 'less' THEN m.cap_strike - :strike_step
        WHEN m.strike_type IN ('greater', 'greater_or_equal') THEN 1e15
        ELSE m.cap_strike END AS ends
    FROM {batch} AS e
    JOIN kalshi_market m ON m.event_ticker = e.event_ticker
    WHERE e.mutually_exclusive AND NOT m.is_placeholder
  ) AS bracket
) AS placed
WHERE plain = brackets AND (
  place = 1 AND begins > -1e15
  OR place > 1 AND NOT COALESCE(begins > ends_before AND begins - ends_before <= :strike_step, FALSE)
  OR place = brackets AND ends < 1e15)
