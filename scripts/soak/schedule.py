"""Which runs fall due by the DAGs' own timetables, on the sandbox's clock."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.serialization.definitions.dag import SerializedDAG

LONGEST_INTERVAL = timedelta(days=2)
"""Longer than any DAG here waits between two runs."""


@dataclass(frozen=True)
class DueRun:
    """A run, and when it falls due (``run_after``). Without a logical date: a manual or asset-triggered run."""

    dag_id: str
    run_after: datetime
    logical_date: datetime | None = None
    interval: tuple[datetime, datetime] | None = None
    conf: dict[str, Any] = field(default_factory=dict)


def start_around_midnight(now: datetime, minutes: float) -> datetime:
    """The start that puts the latest possible midnight (UTC) in the middle without ending in the future.

    So hourly and daily runs fall due too, however short the soak.
    """
    half = timedelta(minutes=minutes / 2)
    return datetime.combine((now.astimezone(UTC) - half).date(), time(), UTC) - half


def load_dags(folder: Path) -> dict[str, SerializedDAG]:
    """The DAGs of ``folder`` by name, as the scheduler sees them.

    Raises:
        SystemExit: a file can't be imported.
    """
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    with redirect_stdout(StringIO()):  # Airflow's own
        bag = DagBag(dag_folder=folder, bundle_path=folder)
    if bag.import_errors:
        raise SystemExit(f"DAGs can't be loaded: {bag.import_errors}")
    return {name: DagSerialization.from_dict(DagSerialization.to_dict(dag)) for name, dag in sorted(bag.dags.items())}


def due_runs(dags: dict[str, SerializedDAG], since: datetime, until: datetime) -> list[DueRun]:
    """What the scheduler would start if all DAGs were switched on at ``since``, in time order.

    For each scheduled DAG: the latest run due by then, and every run due before ``until``.
    """
    runs = []
    for dag in dags.values():
        infos = dag.iter_dagrun_infos_between(since - LONGEST_INTERVAL, until)
        due = [info for info in infos if info.run_after < until]
        first = max((i for i, info in enumerate(due) if info.run_after <= since), default=0)
        runs += [
            DueRun(dag.dag_id, i.run_after, i.logical_date, (i.data_interval.start, i.data_interval.end))
            for i in due[first:]
            if i.data_interval
        ]
    return sorted(runs, key=lambda run: (run.run_after, run.dag_id))


def waits_for_assets(dag: SerializedDAG) -> bool:
    """Whether asset updates start the DAG rather than the clock."""
    from airflow.timetables.simple import AssetTriggeredTimetable

    return isinstance(dag.timetable, AssetTriggeredTimetable)
