"""A form that runs one of our DAGs, filled in by the page that leads here.

Airflow 3.3 has no address that opens its own form filled in. The browser asks Airflow for the DAG's params and starts
the run itself, with the user's session, so that Airflow checks what the user may do.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from kalshi.ui.airflow import airflow_address, our_dags
from kalshi.ui.rendering import address, render
from kalshi.ui.responses import not_found

router = APIRouter()


@router.get("/run/{dag}")
def show_form(request: Request, dag: str) -> Response:
    if dag not in our_dags():
        return not_found(request, f"There is no DAG {dag} of this project: choose one of {', '.join(our_dags())}.")
    return render(
        request,
        "run.html.jinja",
        dag=dag,
        airflow=airflow_address(request).rstrip("/"),
        reports=address(request, "reports", dag),
        overview=address(request),
    )
