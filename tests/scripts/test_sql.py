"""``make sql``, as a user types it: make and the shell leave the query alone."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.support.airflow_cli import PROJECT


@pytest.fixture
def environment(empty_database: str) -> dict[str, str]:
    """The environment of a shell with the test's warehouse."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "AIRFLOW_CONN_"))}
    return {**ours, "AIRFLOW_CONN_KALSHI_WAREHOUSE": empty_database}


def ask(query: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["make", "sql", f"QUERY={query}"]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def test_a_query_reaches_the_server_as_it_was_typed(environment: dict[str, str]) -> None:
    query = """SELECT `a`, "it's", '$HOME $(shell echo x) $$', '100 %s', NULL AS nothing -- `touch x`
               FROM (SELECT 'b\\\\c' AS `a`) t;"""
    done = ask(query, environment)
    assert done.returncode == 0, done.stderr
    assert "Exchange" not in done.stdout, "a query needs none"
    assert re.split(" {2,}", done.stdout.splitlines()[-1]) == [
        r"b\c",
        "it's",
        "$HOME $(shell echo x) $$",
        "100 %s",
        "NULL",
    ]


def test_a_query_in_the_environment_works_as_well(environment: dict[str, str]) -> None:
    environment["QUERY"] = "SELECT '$x'\nAS words"
    done = subprocess.run(["make", "sql"], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "$x", done.stderr


def test_a_change_is_committed_and_counted(environment: dict[str, str]) -> None:
    assert ask("CREATE TABLE t (a INT)", environment).returncode == 0
    assert ask("INSERT INTO t VALUES (1), (2)", environment).stdout.endswith("Done, 2 rows affected.\n")
    assert ask("SELECT SUM(a) FROM t", environment).stdout.splitlines()[-1].strip() == "3"


def test_a_refused_query_shows_the_servers_words_and_no_traceback(environment: dict[str, str]) -> None:
    done = ask("SELECT nonsense", environment)
    assert done.returncode != 0
    assert "The warehouse refuses the query: (1054" in done.stderr
    assert "Traceback" not in done.stderr
