"""The list of reports, and the reports."""

from __future__ import annotations

from textwrap import shorten
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from kalshi.cells import Link
from kalshi.reports.files import folder_name
from kalshi.settings import load_settings
from kalshi.ui.rendering import Column, Columns, address, render, table
from kalshi.ui.report_files import TYPES, read_report, report_file, reports
from kalshi.ui.responses import not_found

router = APIRouter()
REPORTS_LISTED = 25
"""Per DAG; a list of one DAG shows all of them."""
LONGEST_LIST = 60
"""Characters of the names to check; the report lists all of them."""
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
    "sandbox allow-same-origin"
)
"""A report embeds its style and has no scripts."""
COLUMNS: Columns = {
    "dag": "DAG",
    "began": "began (UTC)",
    "verdict": "verdict",
    "cause": "started",
    "took": Column("took", "s"),
    "to_look_at": "to check",
}
VERDICTS = ("success", "warning", "failed", "unreadable")


@router.get("/reports")
def list_reports(
    request: Request,
    dag: Annotated[str, Query(max_length=250)] = "",
    verdict: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    found = reports(load_settings().reports.path, 1_000 if dag or verdict else REPORTS_LISTED)
    chosen = [
        report
        for name, listed in found.items()
        for report in listed
        if dag in ("", name) and verdict in ("", report["verdict"])
    ]
    chosen.sort(key=lambda report: report["began_at"] or report["written_at"], reverse=True)
    return render(
        request,
        "reports.html.jinja",
        is_synthetic=any(report["is_synthetic"] for report in chosen),
        reports=table([_row(request, report) for report in chosen], COLUMNS, name="reports"),
        known=[name for name, listed in found.items() if listed],
        most=REPORTS_LISTED,
        dag=dag,
        verdict=verdict,
        verdicts=VERDICTS,
    )


def _row(request: Request, report: dict[str, Any]) -> dict[str, Any]:
    """A row in the list of reports."""
    return {
        **report,
        "began": Link(
            report["began_at"] or report["written_at"], address(request, "reports", report["dag"], report["run"])
        ),
        "to_look_at": shorten(", ".join(report["to_look_at"]), LONGEST_LIST, placeholder=" …"),
    }


@router.get("/reports/{dag}/{run}")
def show_report(request: Request, dag: str, run: str) -> Response:
    folder, run = load_settings().reports.path, folder_name(run)
    if report_file(folder, f"{dag}/{run}/index.html") is None:
        message = f"There is no report of the run {run} of {dag}: its task report writes it when the run ends."
        return not_found(request, message)
    file = address(request, "files", dag, run, "index.html")
    return render(request, "report.html.jinja", dag=dag, report=read_report(folder / dag / run), file=file)


@router.get("/files/{path:path}")
def send_report_file(request: Request, path: str) -> Response:
    file = report_file(load_settings().reports.path, path)
    if file is None:
        return not_found(request, f"There is no report file {path}.")
    return FileResponse(file, media_type=TYPES[file.suffix], headers={"Content-Security-Policy": REPORT_POLICY})
