-- The events whose markets are open at any time in the window.
SELECT * FROM kalshi_event WHERE event_ticker IN :events
