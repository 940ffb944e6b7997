"""``python -m kalshi gaps``: what is missing is listed, and accepted with a reason that stays."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from kalshi.__main__ import main
from kalshi.warehouse import checkpoints, gaps
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.gaps import UNREADABLE, WHOLE, Gap
from kalshi.warehouse.server import in_transaction
from tests.support.airflow_cli import PROJECT, Airflow

SEP_20 = datetime(2026, 9, 20, tzinfo=UTC)
DAY = timedelta(days=1)
MARKET = "KXHIGHNY-26SEP20-B65.5"


def window(job: str, days: int = 0, scope: str = "KXHIGHNY") -> Window:
    return Window(job, scope, SEP_20 + days * DAY, SEP_20 + (days + 1) * DAY)


@pytest.fixture
def holed(warehouse_on_both: sa.Engine, warehouse_uri_on_both: str, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """A warehouse with a window of candles that lacks a market and one of unknown name, and an unread day of trades."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri_on_both)

    def leave(connection: sa.Connection) -> None:
        checkpoints.claim(connection, window("candles"), 7)
        checkpoints.finish(connection, window("candles"))
        gaps.note(connection, [Gap(window("candles"), MARKET, "rejected: not\na number")], 7)
        gaps.note(connection, [Gap(window("candles"), UNREADABLE, "rejected: no ticker")], 7)
        gaps.note(connection, [Gap(window("trades", 3), WHOLE, "no run came")])
        gaps.restate(connection, "candles", "KXHIGHNY")

    in_transaction(warehouse_on_both, leave)
    return warehouse_on_both


def kalshi(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["kalshi", *arguments])
    main()
    return capsys.readouterr().out


def state(engine: sa.Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(sa.text("SELECT state FROM kalshi_checkpoint")).scalar_one())


def test_gaps_are_listed_in_an_aligned_table(
    holed: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = kalshi(monkeypatch, capsys, "gaps")
    heads, _, *rows = said.partition("\n\n")[0].splitlines()
    assert heads.split("  ")[0] == "job"
    column = heads.index("reason")
    assert sorted(row[column:] for row in rows) == ["no run came", "rejected: no ticker", "rejected: not a number"]
    assert rows[0].split()[:3] == ["trades", "KXHIGHNY", "all"], "the newest first"
    assert "unknown" in said
    assert said.endswith("\n\n3 gaps.\n")


def test_an_accepted_gap_keeps_its_reason_and_its_window_is_complete(
    holed: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accept = ["gaps", "accept", "--job", "candles", "--scope", "KXHIGHNY"]
    said = kalshi(monkeypatch, capsys, *accept, "--market", MARKET, "--reason", "delisted")
    assert said.startswith("Accepted 1 gap in the candles of KXHIGHNY")
    assert state(holed) == "FAILED", "the market of unknown name is still missing"
    assert MARKET not in kalshi(monkeypatch, capsys, "gaps")
    assert kalshi(monkeypatch, capsys, *accept, "--reason", "a test of theirs").startswith("Accepted 1 gap ")
    assert state(holed) == "COMPLETE"
    with holed.connect() as connection:
        found = connection.execute(
            sa.text("SELECT market_ticker, accepted_reason FROM kalshi_gap WHERE job = 'candles' ORDER BY 1")
        )
        assert {row.market_ticker: row.accepted_reason for row in found} == {
            MARKET: "delisted",
            UNREADABLE: "a test of theirs",
        }
        assert gaps.next_to_fill(connection, window("candles"), 9, inside=True) is None, "no run tries it again"


def test_times_choose_the_gaps_that_lie_within_them(
    holed: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accept = ["gaps", "accept", "--job", "trades", "--scope", "KXHIGHNY", "--reason", "not ours"]
    with pytest.raises(SystemExit, match=r"(?s)No gap within that time matches.*no run came"):
        kalshi(monkeypatch, capsys, *accept, "--from", "2026-09-23T12:00", "--to", "2026-09-24")
    assert "Accepted 1" in kalshi(monkeypatch, capsys, *accept, "--from", "2026-09-23", "--to", "2026-09-24T00:00Z")


def test_where_nothing_matches_it_refuses_and_names_what_is_there(
    holed: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accept = ["gaps", "accept", "--scope", "KXHIGHNY", "--reason", "x"]
    with pytest.raises(SystemExit, match=r"In the candles of KXHIGHNY there are:\n\n") as bad:
        kalshi(monkeypatch, capsys, *accept, "--job", "candles", "--market", "KXHIGHNY-X")
    assert MARKET in str(bad.value)
    with pytest.raises(SystemExit, match=r"gaps in: candles of KXHIGHNY \(2\), trades of KXHIGHNY \(1\)\."):
        kalshi(monkeypatch, capsys, *accept, "--job", "settlements")
    assert state(holed) == "FAILED"


@pytest.mark.parametrize("reason", [[], ["--reason", " "]])
def test_without_a_reason_nothing_is_accepted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reason: list[str]
) -> None:
    with pytest.raises(SystemExit):
        kalshi(monkeypatch, capsys, "gaps", "accept", "--job", "trades", "--scope", "KXHIGHNY", *reason)
    assert "--reason" in capsys.readouterr().err


def test_the_command_knows_the_connections_of_airflow(
    airflow: Airflow, warehouse: sa.Engine, warehouse_uri: str
) -> None:
    environment = {"AIRFLOW_CONN_KALSHI_WAREHOUSE": warehouse_uri, "PYTHONPATH": str(PROJECT / "plugins")}
    done = airflow.python("-m", "kalshi", "gaps", **environment)
    assert done.returncode == 0, done.stdout
    assert done.stdout.strip().endswith("There are no gaps.")
    accept = ("accept", "--job", "trades", "--scope", "KXHIGHNY", "--reason", "x")
    done = airflow.python("-m", "kalshi", "gaps", *accept, **environment)
    assert done.returncode == 1
    assert "There are no gaps at all." in done.stdout
