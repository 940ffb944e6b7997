"""The ending of ``make demo``: an answer from its data, a chart, and a page that links to the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import sqlalchemy as sa

from kalshi.cells import Link, table
from kalshi.reports.charts import picture
from kalshi.reports.files import TEMPLATES
from kalshi.settings import load_settings
from kalshi.ui.event import price_picture
from kalshi.ui.event_data import read_event
from kalshi.warehouse import sql
from kalshi.warehouse.exchanges import is_synthetic

SERIES = "KXHIGHNY"
"""The series of the question and its query."""
TABLES = (
    *("kalshi_series", "kalshi_event", "kalshi_market", "kalshi_settlement", "kalshi_trade", "kalshi_price_snapshot"),
    *("kalshi_candle_1m", "kalshi_candle_1m_dense", "kalshi_fill", "kalshi_position", "kalshi_quality_result"),
)
PICTURE = "demo.png"
NOTE = "Profit: one YES bought at the ask, before fees. The query: include/sql/examples/priced_and_settled.sql"
HEAT_MAP = "kalshi_reconciliation/latest/plot.png"


@dataclass(frozen=True)
class Answer:
    """A question about one event, and its answer as a table."""

    event: str
    question: str
    headers: list[str]
    rows: list[list[Any]]


def row_counts(connection: sa.Connection) -> list[tuple[str, int]]:
    return [(t, sql.run(connection, f"SELECT COUNT(*) FROM {t}").scalar_one()) for t in TABLES]


def answer(connection: sa.Connection) -> Answer | None:
    """The question and its answer; None if no settled event has been read up to its close."""
    found = sql.run_file(connection, "examples", "priced_and_settled").mappings().all()
    if not found:
        return None
    question = (
        f"New York's high on {found[0]['event_date']:%d %b %Y}: the market at 10:00 the day before, and the settlement"
    )
    headers = ["bracket", "bid", "ask", "settled", "profit"]
    return Answer(found[0]["event_ticker"], question, headers, [[row[name] for name in headers] for row in found])


def write_picture(connection: sa.Connection, event: str, file: Path) -> None:
    """Draw the bracket prices of an event, as PNG."""
    found = read_event(connection, event)
    if found is None:
        raise LookupError(f"The warehouse has no event {event}.")
    specification = price_picture(connection, found)
    color = specification["layer"][0]["encoding"]["color"]
    color["legend"] |= {"title": None, "columns": 6}  # a picture can't be clicked
    title = f"{'Synthetic data. ' if is_synthetic(connection) else ''}{found.row['title']}"
    specification |= {"width": 1100, "title": title, "padding": 15}
    file.write_bytes(picture(specification))


def write_page(
    connection: sa.Connection,
    verdicts: dict[str, tuple[str, str]],
    found: Answer | None,
    counts: list[tuple[str, int]],
    proven: str,
) -> Path:
    """Write ``index.html`` into the reports folder. ``verdicts``: by DAG, its report's verdict and what it does;
    ``proven``: how much the reconciliation proved."""
    folder = load_settings().reports.path
    folder.mkdir(parents=True, exist_ok=True)
    if found:
        write_picture(connection, found.event, folder / PICTURE)
    templates = TEMPLATES.overlay(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(Path(__file__).parent), TEMPLATES.loader])  # type: ignore[list-item]
    )
    page = folder / "index.html"
    html = templates.get_template("demo.html.jinja").render(
        is_synthetic=is_synthetic(connection),
        written_at=datetime.now(UTC),
        answer=found,
        answers=table(found.question, found.headers, found.rows, units=("", "price", "price", "", "$"))
        if found
        else None,
        note=NOTE,
        picture=PICTURE,
        reports=table(
            "Reports",
            ("what it did", "DAG", "verdict", "report"),
            [
                (does, dag, verdict, Link("open", f"{dag}/latest/index.html"))
                for dag, (verdict, does) in verdicts.items()
            ],
        ),
        counts=table("What the warehouse holds", ("table", "rows"), counts),
        proven=proven,
        heat_map=HEAT_MAP if (folder / HEAT_MAP).exists() else "",
    )
    page.write_text(html, encoding="utf-8")
    return page
