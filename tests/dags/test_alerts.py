"""A failed DAG run, reported by Airflow's own notifiers to a mail server and a webhook."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from scripts.private_server import free_port
from tests.dags.dag_under_test import DagUnderTest

NOTIFIERS = """
[[alerts]]
notifier = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"
[alerts.arguments]
from_email = "airflow@example.com"
to = "me@example.com"
subject = "{{ alert.subject }}"
html_content = "{{ alert.html }}"

[[alerts]]
notifier = "airflow.providers.http.notifications.HttpNotifier"
[alerts.arguments]
http_conn_id = "my_webhook"
endpoint = "services/hook"
json = { text = "{{ alert.text }}" }
"""


class _Mailbox:
    """Keeps every message that the mail server takes."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content or b""))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[list[Message], int]]:
    """What the mail server got, and its port."""
    box = _Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield box.messages, controller.port
    controller.stop()


@pytest.fixture
def webhook() -> Iterator[tuple[list[dict[str, Any]], int]]:
    """What the webhook got, and its port."""
    got: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append({"path": self.path, **body})
            self.send_response(200)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield got, server.server_port
        server.shutdown()


def test_a_failed_run_is_reported_once_to_each_notifier(
    dag_under_test: Callable[[str], DagUnderTest],
    mailbox: tuple[list[Message], int],
    webhook: tuple[list[dict[str, Any]], int],
) -> None:
    dag = dag_under_test("kalshi_catalog_sync")
    dag.settings.write_text(dag.settings.read_text() + NOTIFIERS)
    smtp = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": mailbox[1],
        "extra": {"disable_ssl": True, "disable_tls": True},
    }
    connections = {
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(smtp),
        "AIRFLOW_CONN_MY_WEBHOOK": f"http://127.0.0.1:{webhook[1]}",
        "AIRFLOW__API__BASE_URL": "https://airflow.example",
    }
    airflow = replace(dag.airflow, environment={**dag.airflow.environment, **connections})
    outcome = replace(dag, airflow=airflow).run(series=["KXHIGHNY", "KXNOSUCH"], max_pages=1)
    assert not outcome.succeeded
    (mail,) = mailbox[0]
    assert mail["Subject"] == "kalshi_catalog_sync failed: KXNOSUCH"
    assert mail["To"] == "me@example.com"
    html = next(part for part in mail.walk() if part.get_content_type() == "text/html").get_payload(decode=True)
    assert isinstance(html, bytes)
    assert "<b>KXNOSUCH</b>: RequestRefused: GET /series/KXNOSUCH was refused with HTTP 404" in html.decode()
    (call,) = webhook[0]
    assert call["path"] == "/services/hook"
    first, note, report, run = call["text"].splitlines()
    assert first == "kalshi_catalog_sync failed."
    assert note.startswith("KXNOSUCH: RequestRefused: GET /series/KXNOSUCH was refused")
    assert report.startswith(f"Report: {dag.reports}/kalshi_catalog_sync/manual__")
    assert run.startswith("Run: https://airflow.example/dags/kalshi_catalog_sync/runs/manual__")


def test_a_successful_run_sends_no_notification(
    dag_under_test: Callable[[str], DagUnderTest], webhook: tuple[list[dict[str, Any]], int]
) -> None:
    dag = dag_under_test("kalshi_health_check")
    dag.settings.write_text(dag.settings.read_text() + NOTIFIERS)
    connections = {"AIRFLOW_CONN_MY_WEBHOOK": f"http://127.0.0.1:{webhook[1]}"}
    outcome = replace(dag, airflow=replace(dag.airflow, environment={**dag.airflow.environment, **connections})).run()
    assert outcome.succeeded, outcome.output[-3000:]
    assert outcome.report["verdict"] == "warning", "the warehouse has no schema yet"
    assert "python -m kalshi migrate" in outcome.page
    assert webhook[0] == []
