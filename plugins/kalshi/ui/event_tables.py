"""The tables of an event's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import mean
from typing import Any

import sqlalchemy as sa
from fastapi import Request

from kalshi.cells import Cell, Link, Table, Unit, cell
from kalshi.cells import table as table_of
from kalshi.ui.clock import Clock
from kalshi.ui.event_data import Event, Moment
from kalshi.ui.forecast import Quote, centres, expected, probabilities
from kalshi.ui.rendering import Column, Columns, changed, table
from kalshi.ui.warehouse import ask, query

Rows = list[dict[str, Any]]
Quotes = Mapping[str, Quote | None]
"""By market; one that is missing, or None, has no quote."""
EARLIEST, LATEST = datetime(1900, 1, 1), datetime(9999, 1, 1)  # noqa: DTZ001 (as in the warehouse)
SHOWN_VERDICTS = {"proven": "pass", "unread": "warn", "short": "fail", "over": "fail"}
"""The colour of each verdict of kalshi_reconciliation."""


def market_table(event: Event, clock: Clock) -> Table:
    """The brackets; those that paid stand out."""
    columns: Columns = {
        "bracket": "bracket",
        "status": "status",
        "result": "result",
        "paid": Column("paid", "price"),
        "observed": Column("observed", event.unit),
        "yes_bid": Column("bid", "price"),
        "yes_ask": Column("ask", "price"),
        "last_price": Column("last", "price"),
        "volume": Column("volume", "contracts"),
        "open_interest": Column("open interest", "contracts"),
        "settled_at_utc": f"settled ({clock.name})",
        "settled_at_source": "time known from",
        "market": "market",
    }
    records = [
        market
        | {
            "bracket": Cell(market["bracket"], market["bracket"], badge="winner" if market["result"] == "yes" else ""),
            "result": Cell(market["result"] or "", market["result"], badge="pass" if market["result"] == "yes" else ""),
            "observed": event.observed_in(market),
            "settled_at_utc": clock.shown(market["settled_at_utc"]),
        }
        for market in event.markets
    ]
    asked = query("event_markets", event=event.ticker)
    return table(records, columns, title="brackets", name="markets", query=asked)


def moment_table(
    request: Request, event: Event, moments: Sequence[Moment], quotes: Mapping[str, Quotes], clock: Clock
) -> Table:
    """What the prices said at each moment; its name leads to the chart at that moment."""
    middle = centres(event.brackets) if event.is_exclusive else {}
    rows: list[list[Any]] = []
    for moment in moments:
        known = {market: each for market, each in quotes[moment.name].items() if each}
        shares = probabilities(known) if event.is_exclusive else {}
        likeliest = max(shares, key=lambda market: shares[market], default=None)
        rows.append(
            [
                Link(moment.name, f"{changed(request, at=f'{moment.at:%Y-%m-%dT%H:%M}')}#prices"),
                moment.words,
                clock.shown(moment.at),
                f"{len(known)} of {len(event.markets)}",
                cell(mean(each.ask - each.bid for each in known.values()), "price") if known else None,
                event.names[likeliest] if likeliest else None,
                shares[likeliest] if likeliest else None,
                expected(shares, middle),
            ]
        )
    headers = ["time", "in words", clock.name, "quoted", "mean spread"]
    said = ["likeliest bracket", "its probability", "expected value"] if event.is_exclusive else []
    width = len(headers) + len(said)
    units: list[Unit] = ["", "", "", "", "price", "", "share", event.unit]
    rows = [row[:width] for row in rows]
    return table_of("moments", [*headers, *said], rows, units=units[:width], name="moments")


def share_table(event: Event, moments: Sequence[Moment], quotes: Mapping[str, Quotes]) -> Table:
    """The implied probability of each bracket at each moment, and the expected value below them."""
    shares = {moment.name: probabilities(quotes[moment.name]) for moment in moments}
    known = [moment.name for moment in moments if shares[moment.name]] if event.is_exclusive else []
    rows: list[list[Any]] = [
        [
            Cell(name, name, badge="winner" if name in event.winners else ""),
            *(cell(shares[moment].get(market), "share") for moment in known),
            "paid" if name in event.winners else "",
        ]
        for market, name in event.names.items()
    ]
    means = [expected(shares[moment], centres(event.brackets)) for moment in known]
    if any(value is not None for value in means):
        observed = cell(event.observed, event.unit)
        came = f"observed {observed.text}" if observed.text else ""
        rows.append(["expected value", *(cell(value, event.unit) for value in means), came])
    return table_of("probabilities", ["bracket", *known, "outcome"], rows if known else [], name="probabilities")


def change_table(connection: sa.Connection, event: Event, clock: Clock) -> Table:
    """Amended settlements."""
    columns: Columns = {
        "changed_at_utc": f"seen ({clock.name})",
        "bracket": "bracket",
        "old_result": "old result",
        "new_result": "new result",
        "old_settlement_value": Column("paid before", "price"),
        "new_settlement_value": Column("paid now", "price"),
    }
    found = ask(connection, "event_changes", event=event.ticker)
    records = [
        row | {"bracket": event.names.get(row["market"]), "changed_at_utc": clock.shown(row["changed_at_utc"])}
        for row in found
    ]
    return table(records, columns, title="amended settlements", name="changes")


def coverage_table(connection: sa.Connection, event: Event, minutes: Rows, proofs: Rows, clock: Clock) -> Table:
    """By bracket: minutes, quotes at each decision, whether its volume is proven, and what is missing."""
    found = {row["market"]: row for row in minutes}
    proof = {row["market"]: row for row in proofs}
    gaps = _gaps(connection, event, clock)
    quotes = ask(connection, "event_decision_quotes", markets=[*event.names])
    decisions = list(dict.fromkeys(row["decision"] for row in quotes))
    known = {
        (row["market"], row["decision"]): f"{cell(row['yes_bid'], 'price').text} / {cell(row['yes_ask'], 'price').text}"
        if row["quote_known"]
        else "none"
        for row in quotes
    }
    columns: Columns = {
        "bracket": "bracket",
        "expected": "minutes open",
        "present": "with candle",
        "quoted": "quote known",
        "longest_gap": "longest gap",
        "widest_spread": Column("widest spread", "price"),
        **{name: f"at {name}" for name in decisions},
        "trades_verdict": "trades",
        "candles_verdict": "candles",
        "exchange_volume": Column("volume", "contracts"),
        "trade_volume": Column("of trades", "contracts"),
        "candle_volume": Column("of candles", "contracts"),
        "missing": "missing",
    }
    records = [
        {
            **found.get(market, {}),
            **{name: known.get((market, name)) for name in decisions},
            **_proof(proof.get(market)),
            "bracket": name,
            "missing": "; ".join([*gaps.get(market, []), *gaps.get("", []), *_reasons(proof.get(market))]),
        }
        for market, name in event.names.items()
        if market in found or market in proof or market in gaps or "" in gaps
    ]
    return table(records, columns, title="coverage, gaps and proof", name="coverage")


def _proof(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {}
    verdicts = {
        name: Cell(row[name], row[name], badge=SHOWN_VERDICTS.get(row[name], ""))
        for name in ("trades_verdict", "candles_verdict")
    }
    return row | verdicts


def _reasons(row: dict[str, Any] | None) -> list[str]:
    return [row[name] for name in ("trades_reason", "candles_reason") if row[name]] if row else []


def _gaps(connection: sa.Connection, event: Event, clock: Clock) -> dict[str, list[str]]:
    """What is missing, by market; "": of all of them."""
    life = {"opens": event.opens or EARLIEST, "closes": event.closes or LATEST}
    markets = [*event.names, "", "?"]
    gaps: dict[str, list[str]] = {}
    for row in ask(connection, "event_gaps", series=event.series, markets=markets, **life):
        since, until = (clock.shown(row[name]) for name in ("window_start_utc", "window_end_utc"))
        accepted = f" (accepted: {row['accepted_reason']})" if row["accepted_reason"] else ""
        said = f"{row['job']} from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}: {row['reason']}{accepted}"
        gaps.setdefault("" if row["market"] == "?" else row["market"], []).append(said)
    return gaps


def tape(connection: sa.Connection, event: Event, clock: Clock, market: str, size: int, page: int) -> Table:
    """A page of the trades, the latest first; of one ``market`` unless that is empty."""
    columns: Columns = {
        "at": f"time ({clock.name})",
        "bracket": "bracket",
        "taker": "taker bought",
        "price": Column("price of YES", "price"),
        "contracts": Column("contracts", "contracts"),
        "dollars": Column("taker paid", "$"),
        "block": "block trade",
    }
    values = {"event": event.ticker, "market": market, "most": size, "skipped": (page - 1) * size}
    records = [
        row
        | {
            "at": _to_the_second(clock.shown(row["at"])),
            "bracket": event.names.get(row["market"], row["market"]),
            "taker": Cell((row["taker_side"] or "").upper(), row["taker_side"], badge=row["taker_side"] or ""),
            "dollars": row["contracts"] * (1 - row["price"] if row["taker_side"] == "no" else row["price"]),
            "block": Cell("block", True, badge="info") if row["is_block_trade"] else None,
        }
        for row in ask(connection, "event_tape", **values)
    ]
    return table(records, columns, title="trades", name="trades", query=query("event_tape", **values))


def _to_the_second(moment: datetime | None) -> Cell:
    return Cell(f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "", moment)
