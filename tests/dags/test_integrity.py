"""Rules for every DAG file: it loads quickly, is documented and follows the project's conventions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk import DAG

PROJECT = Path(__file__).resolve().parents[2]
FILES = sorted((PROJECT / "dags").glob("*.py"))
HEAVY = ("altair", "great_expectations", "pandas", "vl_convert", "matplotlib")


def load(file: Path) -> DAG:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=file, bundle_path=file.parent)
    assert not bag.import_errors, bag.import_errors
    (dag,) = bag.dags.values()
    return dag


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def dag(file: Path) -> DAG:
    return load(file)


def test_a_dag_file_holds_one_dag_of_its_own_name(file: Path, dag: DAG) -> None:
    assert dag.dag_id == file.stem


def test_a_dag_explains_itself(dag: DAG) -> None:
    assert dag.doc_md
    assert dag.doc_md.startswith("# ")
    assert dag.description
    assert "kalshi" in dag.tags


def test_every_param_is_typed_and_described(dag: DAG) -> None:
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.schema.get("type"), name
        assert param.schema.get("title"), name
        assert param.description, name


def test_every_task_can_be_retried_within_the_pool(dag: DAG) -> None:
    for task in dag.tasks:
        assert task.pool == "kalshi_api", task.task_id
        assert (task.retries or 0) >= 1, task.task_id


def test_catchup_and_overlapping_runs_are_chosen_on_purpose(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "catchup=" in text
    assert "max_active_runs=" in text


def test_loading_a_dag_file_needs_no_heavy_library_and_no_network(file: Path) -> None:
    script = (
        "import socket, sys\n"
        "def refuse(*args, **kwargs): raise AssertionError('a DAG file opened a connection')\n"
        "socket.socket.connect = socket.socket.connect_ex = refuse\n"
        f"sys.path[:0] = [{str(PROJECT / 'plugins')!r}, {str(file.parent)!r}]\n"
        f"__import__({file.stem!r})\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
