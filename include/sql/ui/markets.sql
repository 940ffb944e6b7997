-- A page of the events that match the search and the filters, with their markets summed up. An event is open while
-- one of its markets trades, then closed until all are settled; before that it is upcoming.
SELECT e.event_ticker AS event, e.series_ticker AS series, COALESCE(NULLIF(e.title, ''), e.event_ticker) AS title,
  found.day, found.state, found.markets, found.volume, found.closes_at_utc, found.total
FROM (
  SELECT m.event, e.series_ticker AS series, COALESCE(e.event_date, DATE(m.closes_at_utc)) AS day, m.state, m.markets,
    m.volume, m.closes_at_utc, COUNT(*) OVER () AS total
  FROM (
    SELECT event_ticker AS event, COUNT(*) AS markets, SUM(volume) AS volume, MAX(close_time_utc) AS closes_at_utc,
      CASE WHEN SUM(status = 'active') THEN 'open'
        WHEN SUM(status IN ('closed', 'determined', 'disputed', 'amended')) THEN 'closed'
        WHEN SUM(status = 'finalized') THEN 'settled'
        ELSE 'upcoming' END AS state
    FROM kalshi_market
    GROUP BY event_ticker
  ) m
  STRAIGHT_JOIN kalshi_event e ON e.event_ticker = m.event
  JOIN kalshi_series s ON s.series_ticker = e.series_ticker
  WHERE (:series = '' OR e.series_ticker = :series)
    AND (:category = '' OR s.category = :category)
    AND (:state = '' OR m.state = :state)
    AND (:first IS NULL OR COALESCE(e.event_date, DATE(m.closes_at_utc)) >= :first)
    AND (:last IS NULL OR COALESCE(e.event_date, DATE(m.closes_at_utc)) <= :last)
    AND (:text = '' OR e.event_ticker LIKE :prefix ESCAPE '|' OR LOCATE(CONCAT(e.event_ticker, '-'), :ticker) = 1
      OR e.series_ticker IN :in_city
      OR CONVERT(e.title USING utf8mb4) COLLATE utf8mb4_general_ci LIKE :within ESCAPE '|')
  ORDER BY {order}
  LIMIT :most OFFSET :skipped
) found
JOIN kalshi_event e ON e.event_ticker = found.event
ORDER BY {order}
