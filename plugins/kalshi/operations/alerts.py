"""Alerts people to failed runs, through the Airflow notifiers configured in ``kalshi.toml``."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from airflow.sdk import BaseNotifier
from airflow.sdk.configuration import conf
from markupsafe import Markup, escape

from kalshi.reports.files import folder_name
from kalshi.settings import NotifierSettings, load_settings
from kalshi.text import one_line

LONGEST_NOTE = 500
"""Characters per note; the report has the rest."""
MOST_NOTES = 20


@dataclass(frozen=True)
class Alert:
    """One message, in the formats that notifiers accept. ``notes``: what failed and why; ``links``: by name."""

    dag_id: str
    notes: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]

    @property
    def subject(self) -> str:
        parts = ", ".join(name for name, _ in self.notes)
        return (
            f"{self.dag_id} failed: {parts}" if len(parts) <= 100 else f"{self.dag_id} failed: {len(self.notes)} parts"
        )

    @property
    def text(self) -> str:
        notes = [f"{name}: {words}" for name, words in self._shown()]
        return "\n".join([f"{self.dag_id} failed.", *notes, *(f"{name}: {link}" for name, link in self.links)])

    @property
    def html(self) -> str:
        """The same as HTML; whatever the exchange sent is escaped."""
        notes = Markup().join(Markup("<li><b>{}</b>: {}</li>").format(*note) for note in self._shown())
        links = Markup("<br>").join(
            Markup('{}: <a href="{}">{}</a>').format(name, link, link) if "://" in link else escape(f"{name}: {link}")
            for name, link in self.links
        )
        return str(Markup("<p>{} failed.</p><ul>{}</ul><p>{}</p>").format(self.dag_id, notes, links))

    def _shown(self) -> list[tuple[str, str]]:
        shown = [
            (name, words if len(words) <= LONGEST_NOTE else f"{words[:LONGEST_NOTE]}…")
            for name, words in ((name, one_line(words)) for name, words in self.notes)
        ]
        return shown[:MOST_NOTES] + ([("and", f"{len(shown) - MOST_NOTES} more")] if len(shown) > MOST_NOTES else [])


def failure_callbacks() -> list[Callable[[Any], None]]:
    """``on_failure_callback`` of a DAG: one per notifier, so that a failing one doesn't block the others."""
    return [functools.partial(_notify, notifier) for notifier in load_settings().alerts]


def load_notifier(settings: NotifierSettings) -> BaseNotifier:
    """The notifier. Raises ImportError or TypeError if none has that name or it takes other arguments."""
    notifier: BaseNotifier = pkgutil.resolve_name(settings.notifier)(**settings.arguments)
    return notifier


def _notify(settings: NotifierSettings, context: Any) -> None:
    # Leave out the DAG: its templates would turn text into numbers, and the one from `airflow dags test` has none.
    values = {name: value for name, value in context.items() if name != "dag"}
    load_notifier(settings)({**values, "alert": alert_of(context)})


def alert_of(context: Any) -> Alert:
    """The message about the failed run in a callback's context."""
    settings = load_settings()
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    page = settings.reports.path / dag_id / folder_name(run_id) / "index.html"
    links = []
    if page.exists():
        url = settings.reports.url.rstrip("/")
        links.append(("Report", f"{url}/{quote(f'{dag_id}/{page.parent.name}')}/index.html" if url else str(page)))
    if base := conf.get("api", "base_url", fallback=""):
        links.append(("Run", f"{base.rstrip('/')}/dags/{dag_id}/runs/{quote(run_id, safe='')}"))
    notes = _notes(page.with_name("report.json")) or [_last_task(context)]
    return Alert(dag_id, tuple(notes), tuple(links))


def _notes(report: Path) -> list[tuple[str, str]]:
    """What the report says about the parts that failed; empty if this machine doesn't have the report."""
    if not report.exists():
        return []
    found = msgspec.json.decode(report.read_bytes())
    why = {part["scope"]: part.get("error") for part in found["series"]}
    return [(name, why.get(name) or "see the report") for name in found["failed"]]


def _last_task(context: Any) -> tuple[str, str]:
    task = context["ti"].task_id if "ti" in context else "a task"
    return task, f"{str(context.get('reason') or 'failed').replace('_', ' ')}; its log says why"
