"""The pages' connection: it is read-only, and without one a page says what to do."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from kalshi.ui import warehouse as pages
from kalshi.ui.warehouse import WarehouseUnavailable, reading
from scripts.address import address_of

CONNECTION = "AIRFLOW_CONN_KALSHI_WAREHOUSE"
ASKING = [
    *("", "markets", "coverage", "quality", "quality/candle_schema", "calibration", "gaps"),
    *("event/KXHIGHNY-26SEP20", "portfolio"),
]


def refused(client: TestClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 503
    return str(answer.text.split("<h1>No warehouse</h1>")[1])


@pytest.mark.parametrize("address", ASKING)
def test_without_a_connection_the_page_says_where_to_create_one(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.delenv(CONNECTION, raising=False)
    assert "set it up under Admin, Connections" in refused(client, address)


@pytest.mark.parametrize("address", ASKING)
def test_a_server_that_is_down_has_its_own_message_without_the_password(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(CONNECTION, "mysql://somebody:very-secret@127.0.0.1:1/kalshi")
    said = refused(client, address)
    assert "can&#39;t be reached (MySQL error 2003)" in said
    assert "very-secret" not in said
    assert "somebody" not in said


def test_a_wrong_password_is_reported_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, empty_database: str
) -> None:
    address = address_of(empty_database)
    monkeypatch.setenv(CONNECTION, empty_database.replace(address.password.get_secret_value(), "wrong-password"))
    said = refused(client, "")
    assert "MySQL error 1045" in said
    assert "wrong-password" not in said


def test_a_connection_without_a_database_is_reported_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONNECTION, "mysql://somebody:very-secret@127.0.0.1:1/")
    assert "has no database" in refused(client, "")


def test_an_empty_database_names_the_dag_that_fills_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, empty_database_on_both: str
) -> None:
    monkeypatch.setenv(CONNECTION, empty_database_on_both)
    for address in ASKING:
        assert "trigger the DAG kalshi_catalog_sync" in refused(client, address)


@pytest.fixture
def migrated(warehouse_uri_on_both: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages' warehouse has its tables and no rows, on MariaDB and on a real MySQL."""
    monkeypatch.setenv(CONNECTION, warehouse_uri_on_both)


def test_tables_without_rows_make_pages_that_say_what_to_do(client: TestClient, migrated: None) -> None:
    pages = ("", "coverage", "quality", "calibration", "gaps", "portfolio", "reports")
    said = {address: client.get(address) for address in pages}
    assert {address: answer.status_code for address, answer in said.items()} == dict.fromkeys(said, 200)
    assert "trigger the DAG kalshi_data_quality" in said[""].text
    assert "list its events" in said["coverage"].text
    assert "a quality run of these days" in said["calibration"].text
    assert "trigger the DAG kalshi_data_quality" in said["quality"].text
    assert "trigger the DAG kalshi_catalog_sync" in said[""].text
    assert "kalshi_portfolio_sync" in said["portfolio"].text
    assert "No job has read anything yet" in said[""].text
    assert "Nothing is missing" in said["gaps"].text


def test_an_unknown_event_is_404_and_its_name_is_text(client: TestClient, migrated: None) -> None:
    answer = client.get("event/%3Cb%3Eno%2Fsuch")
    assert answer.status_code == 404
    assert "&lt;b&gt;no/such" in answer.text


def test_bad_questions_are_refused_and_empty_ones_are_none(client: TestClient, migrated: None) -> None:
    for question in ("days=0", "days=9999", "days=x", "until=yesterday", "series=" + 200 * "x"):
        assert client.get(f"coverage?{question}").status_code == 422
    assert client.get("coverage?series=&days=7&until=").status_code == 200


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31"])
def test_a_day_before_any_market_is_refused_with_a_reason(client: TestClient, migrated: None, day: str) -> None:
    answer = client.get(f"coverage?until={day}&days=366")
    assert answer.status_code == 400
    assert f"{day} is too early: choose 1900-01-01 or a later day" in answer.text


def test_the_first_and_the_last_day_of_the_calendar_can_be_asked_for(client: TestClient, migrated: None) -> None:
    for day in ("1900-01-01", "9999-12-31"):
        assert client.get(f"coverage?until={day}&days=366").status_code == 200


def test_the_connection_cannot_write_and_does_not_wait_for_ever(
    migrated: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(sa.exc.OperationalError, match="READ ONLY transaction"), reading() as connection:
        connection.execute(sa.text("INSERT INTO kalshi_request_budget (budget) VALUES ('mine')"))
    monkeypatch.setattr(pages, "SECONDS", 1)
    long = (
        "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c"
    )
    with pytest.raises(WarehouseUnavailable, match="within 1 s"), reading() as connection:
        connection.execute(sa.text(long))
