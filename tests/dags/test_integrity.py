"""Rules for every DAG file: it loads quickly, is documented and follows the project's conventions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

PROJECT = Path(__file__).resolve().parents[2]
FILES = sorted((PROJECT / "dags").glob("*.py"))
HEAVY = ("altair", "great_expectations", "pandas", "vl_convert", "matplotlib")
LOAD_ALONE = f"""
import json, os, socket, sys, traceback
from pathlib import Path
import airflow.sdk

def refuse(*_, **__):
    raise AssertionError("a DAG file opened a connection")

def load(file):
    socket.socket.connect = socket.socket.connect_ex = refuse
    sys.path.insert(0, str(file.parent))
    __import__(file.stem)
    assert not (loaded := [name for name in {HEAVY!r} if name in sys.modules]), loaded

plugins, *files = sys.argv[1:]
sys.path.insert(0, plugins)
found = {{}}
for file in map(Path, files):
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            load(file)
        except BaseException:
            os.write(writer, traceback.format_exc()[-2000:].encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as words:
        found[file.stem] = words.read()
    os.waitpid(child, 0)
print(json.dumps(found))
"""
"""Each file in a fork of a process that has imported Airflow, which takes most of the time."""


@pytest.fixture(scope="session")
def bag() -> DagBag:
    """All DAG files, loaded once."""
    bag = DagBag(dag_folder=PROJECT / "dags", bundle_path=PROJECT / "dags")
    assert not bag.import_errors, bag.import_errors
    return bag


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def dag(file: Path, bag: DagBag) -> DAG:
    (dag,) = (dag for dag in bag.dags.values() if dag.fileloc == str(file))
    return dag


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


def test_no_two_dags_name_their_work_alike(bag: DagBag) -> None:
    names = [name for dag in bag.dags.values() for name in dag.task_ids if name not in ("plan", "report")]
    assert sorted(names) == sorted(set(names)), "a task is named for what it does"


def test_every_task_has_a_button_to_the_report(dag: DAG) -> None:
    for task in dag.tasks:
        assert [link.name for link in task.operator_extra_links] == ["Report"], task.task_id


def test_no_form_asks_for_what_it_has_no_default_for(dag: DAG) -> None:
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.has_value or "null" in param.schema["type"], f"the form would open in red because of {name}"


def test_every_task_can_be_retried_within_the_pool(dag: DAG) -> None:
    for task in dag.tasks:
        assert task.pool == "kalshi_api", task.task_id
        assert (task.retries or 0) >= 1, task.task_id


def test_catchup_and_overlapping_runs_are_chosen_on_purpose(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "catchup=" in text
    assert "max_active_runs=" in text


@pytest.fixture(scope="session")
def loaded_alone() -> dict[str, str]:
    """What went wrong with each DAG file, by its stem, in a process that has loaded none of the others."""
    command = [sys.executable, "-c", LOAD_ALONE, str(PROJECT / "plugins"), *map(str, FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_loading_a_dag_file_needs_no_heavy_library_and_no_network(file: Path, loaded_alone: dict[str, str]) -> None:
    assert loaded_alone[file.stem] == ""
