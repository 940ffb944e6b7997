"""Airflow's commands in a process that has already imported it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from airflow import __version__

from scripts.warm_airflow import WarmAirflow, warm_airflow
from tests.support.airflow_cli import Airflow


def run(warm: WarmAirflow, *arguments: str, **environment: str) -> tuple[int, str]:
    done = warm.run(arguments, environment)
    return done.returncode, done.stdout


def test_a_command_says_what_airflow_says(warm: WarmAirflow) -> None:
    assert run(warm, "version") == (0, f"{__version__}\n")


def test_a_command_that_fails_says_so_and_the_next_one_runs(warm: WarmAirflow) -> None:
    code, output = run(warm, "dags", "nonsense")
    assert code == 2
    assert "invalid choice: 'nonsense'" in output
    assert run(warm, "version")[0] == 0


def test_each_command_has_the_environment_it_is_given_and_no_other(
    warm: WarmAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OF_THE_CALLER", "mysql://caller")
    one, other = {"AIRFLOW_CONN_ONE": "mysql://one"}, {"AIRFLOW_CONN_OTHER": "mysql://other"}
    assert "://one" in run(warm, "connections", "get", "one", **one)[1]
    assert run(warm, "connections", "get", "one", **other)[0] != 0
    assert run(warm, "connections", "get", "of_the_caller", **other)[0] != 0


def test_an_interrupt_ends_the_command_alone(warm: WarmAirflow, airflow: Airflow) -> None:
    with warm.start(["dag-processor"], airflow.environment) as command:
        command.output.readline()
        os.kill(command.pid, signal.SIGINT)
        command.output.read()  # which never ends by itself
        command.wait()
    assert run(warm, "version")[0] == 0


def test_an_airflow_that_cannot_start_is_reported(airflow: Airflow, tmp_path: Path) -> None:
    broken = {**airflow.environment, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "nonsense"}
    log = tmp_path / "log"
    with pytest.raises(SystemExit, match=f"Airflow doesn't start: see {log}"), log.open("w") as file:  # noqa: SIM117
        with warm_airflow(broken, file):
            pass
    assert "ValueError: not enough values to unpack" in log.read_text()
