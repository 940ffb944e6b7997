"""``make soak``: run Airflow with every DAG on its schedule against a sandbox whose clock runs faster.

Airflow's scheduler follows the machine's clock (Python's timed waits hang under libfaketime), so its schedules are
off. The soak asks the DAGs' timetables which runs are due by the sandbox's clock and triggers them, with their
logical dates, through Airflow's REST API; a DAG that waits for assets is triggered when they are updated.
Everything else is as in production: scheduler, workers, DAG processor, API server, triggerer, database server and the
exchange over HTTP.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import shutil
import signal
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from kalshi.hooks.warehouse import WarehouseHook
from kalshi.settings import INCLUDE, PROJECT
from kalshi.warehouse.migrate import migrate
from sandbox import process as sandbox_process
from sandbox.access import MADE_KEY
from sandbox.world import Clock
from scripts import airflow_home, airflow_process, private_server
from scripts.airflow_api import AirflowApi
from scripts.backends import EXCHANGE, WAREHOUSE
from scripts.soak import growth
from scripts.soak.schedule import DueRun, due_runs, load_dags, start_around_midnight, waits_for_assets
from scripts.soak.watch import ALLOWANCES, PROCESSES, ROLES, Watch

FOLDER = PROJECT / ".local" / "soak"
ACTIVE = ("queued", "running")
DATABASE = "kalshi_soak"
BACKFILL_DAYS = 3
REPORTS_KEPT = 5
"""Per DAG: few, so that old ones are deleted within the hour."""
HISTORY = timedelta(days=30)
"""How far back the sandbox's events go."""
LEAD = timedelta(minutes=12)
"""Simulated time for the preparation, before the DAGs are switched on."""
MINUTES_TO_END = 10
"""Simulated minutes after the last due time by which all runs must have ended; otherwise the machine can't keep up."""


@dataclass
class Soak:
    """A soak in progress. ``samples``: simulated minutes since the start, with every measure at that time."""

    api: AirflowApi
    watch: Watch
    clock: Clock
    start: datetime
    minutes: float
    due: deque[DueRun]
    asset_dags: list[str]
    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)

    @property
    def minute(self) -> float:
        """Simulated minutes since the DAGs were switched on; negative before."""
        return (self.clock.now() - self.start) / timedelta(minutes=1)

    def run(self) -> bool:
        """Prepare, then trigger what falls due until the time is up and all runs have ended; whether in time."""
        for run in preparation(self.start):
            self._trigger(run)
            while self.api.count_runs(*ACTIVE):
                time.sleep(1)
        while self.minute < 0:
            self._trigger_for_assets()
            time.sleep(1)
        while self.minute < self.minutes:
            self._step()
        while self.api.count_runs(*ACTIVE) or self._trigger_for_assets():
            if self.minute > self.minutes + MINUTES_TO_END:
                return False
            time.sleep(1)
        return True

    def _step(self) -> None:
        while self.due and self.due[0].run_after <= self.clock.now():
            self._trigger(self.due.popleft())
        self._trigger_for_assets()
        if not self.samples or int(self.minute) > int(self.samples[-1][0]):
            self._sample()
        time.sleep(1)

    def _trigger(self, run: DueRun) -> None:
        times = {"logical_date": run.logical_date, "interval": run.interval, "run_after": run.run_after}
        self.api.trigger(run.dag_id, run.conf, **times)  # type: ignore[arg-type]

    def _trigger_for_assets(self) -> bool:
        news = [dag_id for dag_id in self.asset_dags if self.api.take_news(dag_id)]
        for dag_id in news:
            self._trigger(DueRun(dag_id, self.clock.now()))
        return bool(news)

    def _sample(self) -> None:
        now = self.clock.now()
        active = self.api.count_runs(*ACTIVE)
        measures = {**self.watch.look(), "runs queued or running": float(active)}
        self.samples.append((round(self.minute, 2), measures))
        memory = sum(measures[f"{role}, MB"] for role in ROLES)
        print(
            f"{now:%H:%M:%S}  {self.api.count_runs('success'):3d} runs done, {active:2d} running, "
            f"{self.api.count_runs('failed')} failed;  Airflow {memory:,.0f} MB, sandbox "
            f"{measures['sandbox, MB']:,.0f} MB, server {measures['database server, MB']:,.0f} MB;  "
            f"{measures['connections']:.0f} connections, {measures['temporary files']:.0f} temporary files",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60, help="simulated (default %(default)s)")
    parser.add_argument("--speed", type=float, default=5, help="of the sandbox's clock (default %(default)s)")
    parser.add_argument("--series", nargs="+", default=["KXHIGHNY", "KXHIGHCHI"], help="(default %(default)s)")
    args = parser.parse_args()
    if args.minutes <= 0 or args.speed <= 0:
        parser.error("--minutes and --speed must be above 0.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.disable(logging.WARNING)
    start = start_around_midnight(datetime.now(UTC), args.minutes)
    prepare_folder(start, args.series)
    dags = load_dags(PROJECT / "dags")
    due = deque(due_runs(dags, start, start + timedelta(minutes=args.minutes)))
    with running(dags, start, args.speed) as (api, watch, clock):
        asset_dags = [name for name, dag in dags.items() if waits_for_assets(dag)]
        soak = Soak(api, watch, clock, start, args.minutes, due, asset_dags)
        print(
            f"Settlements and a candle backfill first. {len(due)} runs are due from {start:%Y-%m-%d %H:%M} on, "
            "more by assets:",
            flush=True,
        )
        in_time = soak.run()
        time.sleep(5)  # the last task's process exits after its run has ended
        faults = faults_of(soak, in_time)
        print("\nSuccessful runs: " + ", ".join(f"{n} {count}" for n, count in api.runs_by_dag(dags).items()))
    faults += conclude(soak.samples)
    for fault in faults:
        print(f"FAULT  {fault}")
    if faults:
        raise SystemExit(1)
    print("No run failed, nothing grew, nothing leaked.")


def prepare_folder(start: datetime, series: list[str]) -> None:
    """An empty folder with settings, and its environment, which Airflow's modules read when they are imported."""
    private_server.stop(FOLDER / "mysql")
    shutil.rmtree(FOLDER, ignore_errors=True)
    for folder in (FOLDER / "tmp", FOLDER / "airflow"):
        folder.mkdir(parents=True)
    first_day = start.date() - timedelta(days=1)
    settings = soak_settings((INCLUDE / "kalshi.toml").read_text(encoding="utf-8"), series, first_day)
    (FOLDER / "kalshi.toml").write_text(settings, encoding="utf-8")
    os.environ.update(
        airflow_home.DEFAULTS,
        AIRFLOW_HOME=str(FOLDER / "airflow"),
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
        AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="False",
        AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE="False",
        KALSHI_SETTINGS=str(FOLDER / "kalshi.toml"),
        KALSHI_REPORTS_FOLDER=str(FOLDER / "reports"),
        TMPDIR=str(FOLDER / "tmp"),
    )


def soak_settings(text: str, series: list[str], first_day: date) -> str:
    """``kalshi.toml`` with some of its series, without retries (so that failures show) and with few reports kept.

    Raises:
        SystemExit: one of ``series`` isn't in it.
    """
    facts, *known = text.split("[[series]]")
    chosen = [one for name in series for one in known if f'"{name}"' in one]
    if len(chosen) != len(series):
        raise SystemExit(f"{', '.join(series)}: each must be a series of include/kalshi.toml.")
    for name, value in {"start_date": first_day, "retries": 0, "keep": REPORTS_KEPT}.items():
        facts = re.sub(rf"^{name} = .*$", f"{name} = {value}", facts, flags=re.MULTILINE)
    return "[[series]]".join([facts, *chosen])


def preparation(start: datetime) -> list[DueRun]:
    """Load the history that data quality expects: settlements, then, by the manual DAG, the candles of the days before
    the due ones. One after the other, as in ``make demo``."""
    last = start.date() - timedelta(days=2)
    days = {"date_from": str(last - timedelta(days=BACKFILL_DAYS - 1)), "date_to": str(last)}
    began = start - LEAD
    return [DueRun("kalshi_settlements_sync", began), DueRun("kalshi_candles_backfill", began, conf=days)]


@contextmanager
def running(dags: Collection[str], start: datetime, speed: float) -> Iterator[tuple[AirflowApi, Watch, Clock]]:
    """Start the server, Airflow and last the sandbox, whose clock starts with it."""
    server = private_server.ensure(FOLDER / "mysql")
    port, key = private_server.free_port(), FOLDER / "key.pem"
    host = f"http://127.0.0.1:{port}/trade-api/v2"
    extra = {"private_key_path": str(key)}
    os.environ[WAREHOUSE] = server.database(DATABASE)
    os.environ[EXCHANGE] = json.dumps({"conn_type": "kalshi", "host": host, "login": MADE_KEY, "extra": extra})
    try:
        with WarehouseHook().connected() as engine:
            migrate(engine)
        print("Starting Airflow …", flush=True)
        airflow_home.prepare()
        port_of_airflow, log = private_server.free_port(), FOLDER / "airflow.log"
        with airflow_process.running(dict(os.environ), port_of_airflow, log) as (airflow, url):
            api = AirflowApi(url)
            api.wait_for_dags(dags)
            options = (f"--since={(start - HISTORY).date()}", "--wide-markets=0", f"--make-key={key}")
            clock_options = (f"--clock={(start - LEAD).isoformat()}", f"--speed={speed}", f"--port={port}")
            sandbox, _ = sandbox_process.start(FOLDER / "sandbox.log", *options, *clock_options)
            try:
                yield api, Watch(airflow.pid, sandbox.pid, server, DATABASE, FOLDER), Clock(start - LEAD, speed)
            finally:
                sandbox.terminate()
                sandbox.wait(10)
    finally:
        private_server.stop(FOLDER / "mysql")


def faults_of(soak: Soak, in_time: bool) -> list[str]:
    """What went wrong, asked while everything is still running."""
    faults = [f"failed run: {run}" for run in soak.api.bad_runs()]
    faults += [f"failed task: {task}" for task in soak.api.bad_tasks()]
    faults += [f"in a log: {line}" for line in soak.watch.log_errors()]
    faults += [f"left behind: {what}" for what in soak.watch.leftovers()]
    for reports in soak.watch.reports.iterdir():
        kept = sum(path.is_dir() and not path.is_symlink() for path in reports.iterdir())
        if kept > REPORTS_KEPT:
            faults.append(f"{reports.name} keeps {kept} reports, not {REPORTS_KEPT}")
    if not in_time:
        faults.append(f"Runs were still going {MINUTES_TO_END} simulated minutes after the end: use a lower --speed.")
    return faults


def conclude(samples: list[tuple[float, dict[str, float]]]) -> list[str]:
    """Print the table, draw the chart, keep the samples; returns what grew."""
    (FOLDER / "samples.json").write_text(json.dumps(samples), encoding="utf-8")
    series = {name: [(minute, values[name]) for minute, values in samples] for name in samples[-1][1]}
    verdicts = [growth.judge(name, points, ALLOWANCES.get(name)) for name, points in series.items()]
    print(f"\n{growth.table(verdicts)}\n")
    picture = FOLDER / "soak.png"
    growth.draw(panels(series), picture)
    print(f"Chart: {picture}; all samples and logs are in the same folder.\n")
    return [
        f"{v.name} grew by {v.grew:,.1f}, more than the allowed {v.allowed:,.1f}" for v in verdicts if not v.is_well
    ]


def panels(series: dict[str, list[tuple[float, float]]]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """The lines of each panel of the chart, by its title."""
    counts = ("runs queued or running", "connections", "temporary files")
    return {
        "Memory of each process (MB)": {name: series[f"{name}, MB"] for name in PROCESSES},
        "Open files of each process": {name: series[f"{name}, open files"] for name in PROCESSES},
        "Runs, connections, temporary files": {name: series[name] for name in counts},
    }


if __name__ == "__main__":
    main()
