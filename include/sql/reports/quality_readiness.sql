-- The small backtest of a quality run, by series and decision.
SELECT series_ticker AS series, decision, CAST(last_event_date AS CHAR) AS last_event, events, markets,
  settled_markets AS settled, quoted_markets AS quoted, fillable_markets AS fillable, taker_trades,
  CAST(ROUND(taker_pnl, 2) AS CHAR) AS taker_pnl, maker_trades, CAST(ROUND(maker_pnl, 2) AS CHAR) AS maker_pnl,
  CAST(ROUND(taker_fees + maker_fees, 2) AS CHAR) AS fees, COALESCE(reason, '') AS reason
FROM kalshi_readiness
WHERE run_id IN :runs
ORDER BY series_ticker, decision
