"""How much of the exchange's rate limit Celery workers use that share one request budget."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from tabulate import tabulate

from sandbox import process as sandbox_process
from scripts.airflow_api import AirflowApi
from scripts.bench import CLOCK
from scripts.bench.backfill import DAG, LIMIT, environment, seen_by_exchange
from scripts.bench.contest import fresh_warehouse
from scripts.celery_workers import celery_workers
from scripts.private_server import PrivateServer

BUCKET = 2 * LIMIT
"""The burst that the exchange accepts after a pause."""
FIRST = date(2025, 12, 1)
"""An archived period, where every market costs a request."""
SINCE = FIRST - timedelta(days=3)
SECONDS = 600


@dataclass(frozen=True)
class Outcome:
    """The outcome of one backfill in ``tasks`` mapped tasks.

    ``states`` of the mapped tasks; ``tasks_of_workers``: tasks per worker; ``requests``: requests received
    per unix second; ``refused``: 429 answers; ``together``: the unix seconds, both exclusive, from the start of the
    last task to the end of the first; ``candles`` in the warehouse.
    """

    states: tuple[str, ...]
    tasks_of_workers: tuple[int, ...]
    requests: dict[int, int]
    refused: int
    together: range
    candles: int

    @property
    def busiest(self) -> int:
        return max(self.requests.values())

    @property
    def used(self) -> float:
        """The share of the limit used while all tasks were running."""
        if not self.together:
            return float("nan")
        return sum(self.requests.get(second, 0) for second in self.together) / (LIMIT * len(self.together))

    def table(self) -> str:
        cells: list[tuple[str, object]] = [
            ("mapped tasks that succeeded", f"{self.states.count('success')} of {len(self.states)}"),
            ("of them on each worker", " and ".join(str(n) for n in self.tasks_of_workers)),
            ("candles", f"{self.candles:,}"),
            ("requests", f"{sum(self.requests.values()):,}"),
            (f"requests in the busiest second (limit {LIMIT}, bucket {BUCKET})", self.busiest),
            ("requests refused with 429", self.refused),
            ("seconds in which all tasks ran", len(self.together)),
            ("share of the limit used in them", f"{self.used:.2f}"),
        ]
        return tabulate(cells, tablefmt="plain", disable_numparse=True, colalign=("left", "right"))


def measure(folder: Path, server: PrivateServer, *, workers: int, tasks: int, days: int) -> Outcome:
    """Backfill ``days`` of archived candles of one series in each of ``tasks`` tasks.

    ``server``: a MySQL (Airflow's scheduler crashes on MariaDB); Airflow's database stays in it.
    """
    options = (f"--clock={CLOCK}", f"--requests-per-second={LIMIT}", f"--since={SINCE}", "--wide-markets=0")
    with (
        sandbox_process.running(folder / "sandbox-limited.log", *options) as url,
        fresh_warehouse(server, "bench_workers") as engine,
    ):
        of_tasks = environment(folder, url, server.database("bench_workers"))
        shares = {"workers": workers, "concurrency": -(-tasks // workers)}
        with celery_workers(folder / "airflow", server.database("bench_airflow"), of_tasks, **shares) as running:
            api = AirflowApi(running.url)
            api.switch_on(DAG)
            last = FIRST + timedelta(days=tasks * days - 1)
            days_of_all = {"date_from": str(FIRST), "date_to": str(last), "chunk_days": days}
            # Without dense minutes the exchange is the bottleneck, not the two cores that everything shares.
            run = api.trigger(DAG, {"series": ["KXHIGHNY"], "dense": False, **days_of_all})
            api.finished_runs(DAG, 1, SECONDS)
            chunks = api.mapped_tasks(DAG, run, "sync_chunk")
        logs = [log.read_text(encoding="utf-8") for log in running.worker_logs]
        received, refused = seen_by_exchange(url)
        with engine.connect() as connection:
            candles = connection.execute(sa.text("SELECT COUNT(*) FROM kalshi_candle_1m")).scalar_one()
    return Outcome(
        states=tuple(chunk["state"] for chunk in chunks),
        tasks_of_workers=tuple(len(re.findall(r"Task .* succeeded in", log)) for log in logs),
        requests=received,
        refused=refused,
        together=_together([(chunk["start_date"], chunk["end_date"]) for chunk in chunks]),
        candles=candles,
    )


def _together(spans: list[tuple[str, str]]) -> range:
    starts, ends = zip(*((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in spans), strict=True)
    return range(int(max(starts).timestamp()) + 1, int(min(ends).timestamp()))
