"""Which files of the reports folder are served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from kalshi.ui.report_files import report_file, reports


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run = tmp_path / "reports" / "a_dag" / "run_1"
    (run / "data_docs").mkdir(parents=True)
    (run / "index.html").write_text("<h1>Report</h1>")
    (run / "report.json").write_text('{"dag_run_id": "run 1", "verdict": "warning"}')
    (run / "data_docs" / "a.html").write_text("docs")
    (run / "notes.txt").write_text("not a report's")
    (run / ".hidden.html").write_text("hidden")
    (tmp_path / "secret.html").write_text("secret")
    (run / "out.html").symlink_to(tmp_path / "secret.html")
    (run / "up").symlink_to(tmp_path, target_is_directory=True)
    (run / "circle.html").symlink_to(run / "circle.html")
    (run.parent / "latest").symlink_to("run_1", target_is_directory=True)
    return tmp_path / "reports"


@pytest.mark.parametrize("path", ["a_dag/run_1/index.html", "a_dag/latest/report.json", "a_dag/run_1/data_docs/a.html"])
def test_files_of_reports_are_found_also_by_the_link_to_the_latest(folder: Path, path: str) -> None:
    found = report_file(folder, path)
    assert found is not None
    assert found.is_file()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a_dag",
        "a_dag/run_1",
        "a_dag/run_1/",
        "a_dag/run_1/nothing.html",
        "a_dag/run_1/notes.txt",
        "a_dag/run_1/.hidden.html",
        "a_dag/run_1/out.html",
        "a_dag/run_1/up/secret.html",
        "a_dag/run_1/circle.html",
        "../secret.html",
        "a_dag/../../secret.html",
        "a_dag/..\\..\\secret.html",
        "..\\secret.html",
        "/etc/passwd",
        "//etc/passwd",
        "a_dag/run_1/index.html\0.png",
        "a_dag/" + 5000 * "x" + ".html",
    ],
)
def test_anything_else_is_not(folder: Path, path: str) -> None:
    assert report_file(folder, path) is None


def test_an_absolute_path_into_the_folder_itself_is_refused_too(folder: Path) -> None:
    assert report_file(folder, str(folder / "a_dag" / "run_1" / "index.html")) is None


def test_reports_are_listed_once_with_their_verdicts(folder: Path) -> None:
    (report,) = reports(folder, 10)["a_dag"]
    assert (report["run"], report["verdict"]) == ("run_1", "warning")


def test_the_list_shows_what_each_run_was_and_can_be_narrowed_to_a_dag(
    client: TestClient, reports_folder: Path
) -> None:
    for dag in ("a_dag", "other_dag"):
        run = reports_folder / dag / "run_1"
        run.mkdir(parents=True)
        (run / "index.html").write_text("<h1>Report</h1>")
        began = (datetime.now(UTC) - timedelta(seconds=83)).isoformat()
        (run / "report.json").write_text(
            '{"verdict": "warning", "cause": "asset_triggered", "failed": [], "warned": ["KXHIGHNY"], '
            f'"is_synthetic": {str(dag == "a_dag").lower()}, "began_at_utc": "{began}"}}'
        )
    (report,) = reports(reports_folder, 10)["a_dag"]
    assert 80 <= report["took"] <= 95
    page = client.get("reports", params={"dag": "a_dag"}).text
    for words in ("by new data", "KXHIGHNY", "Synthetic data", "<option selected>a_dag", "<option>other_dag"):
        assert words in page
    assert "reports/other_dag/run_1" not in page
    other = client.get("reports", params={"dag": "other_dag"}).text
    assert "reports/other_dag/run_1" in other
    assert "Synthetic data" not in other


def test_the_list_can_be_narrowed_to_a_verdict(client: TestClient, reports_folder: Path) -> None:
    for number, verdict in enumerate(("success", "failed"), 1):
        run = reports_folder / "a_dag" / f"run_{number}"
        run.mkdir(parents=True)
        (run / "index.html").write_text("<h1>Report</h1>")
        (run / "report.json").write_text(f'{{"verdict": "{verdict}", "cause": "manual"}}')
    page = client.get("reports", params={"verdict": "failed"}).text
    assert "reports/a_dag/run_2" in page
    assert "reports/a_dag/run_1" not in page
    assert "by hand" in page
    assert "No such reports." in client.get("reports", params={"verdict": "warning"}).text


def test_a_report_is_headed_by_when_its_run_began_not_by_its_id(client: TestClient, reports_folder: Path) -> None:
    run = reports_folder / "a_dag" / "manual__2026-09-22T150000.123456_00_00"
    run.mkdir(parents=True)
    (run / "index.html").write_text("<h1>Report</h1>")
    (run / "report.json").write_text('{"cause": "scheduled", "began_at_utc": "2026-09-22T15:00:01Z"}')
    crumbs = client.get(f"reports/a_dag/{run.name}").text.split('class="crumbs"')[1].split("</p>")[0]
    assert "2026-09-22 15:00 UTC, on schedule" in crumbs


def test_a_report_that_cannot_be_read_is_listed_as_such(folder: Path) -> None:
    (folder / "a_dag" / "run_1" / "report.json").write_text("{")
    assert reports(folder, 10)["a_dag"][0]["verdict"] == "unreadable"


def test_without_a_reports_folder_there_are_none(tmp_path: Path) -> None:
    assert reports(tmp_path / "nowhere", 10) == {}


def test_a_report_may_run_no_script_and_ask_nobody(client: TestClient, reports_folder: Path) -> None:
    run = reports_folder / "a_dag" / "run_1"
    run.mkdir(parents=True)
    (run / "index.html").write_text("<h1>Report</h1>")
    policy = client.get("files/a_dag/run_1/index.html").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "allow-scripts" not in policy
    assert "a_dag" in client.get("reports").text
    assert "<iframe" in client.get("reports/a_dag/run_1").text
    assert client.get("reports/a_dag/run_2").status_code == 404
