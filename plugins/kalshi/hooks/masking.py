"""Reads a connection in such a way that its password never shows in a log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.log import mask_secret
from pydantic import SecretStr

from kalshi.hooks.errors import BadConnection


@dataclass(frozen=True)
class ConnectionParts:
    """An Airflow connection; unlike Airflow's own class, printing it doesn't show the password."""

    conn_type: str | None
    host: str | None
    port: int | None
    schema: str | None
    login: str | None
    password: SecretStr
    extra: dict[str, Any]


def read_connection(conn_id: str) -> ConnectionParts:
    """The connection, with its password masked in Airflow's logs.

    With the variable DEV set, Airflow's tracebacks show the local variables of each frame. So nothing here, nor in
    what follows, raises in a frame that holds the connection itself or a secret as text.

    Raises:
        BadConnection: ``extra`` isn't a JSON object.
        AirflowNotFoundException: there is no such connection.
    """
    hide_masked_values()
    parts, extra = _take_apart(BaseHook.get_connection(conn_id))
    mask(parts.password)
    parts.extra.update(_object(extra, conn_id))
    return parts


def mask(secret: SecretStr) -> None:
    """Mask a secret in Airflow's logs, line by line if it has several: a key printed in a traceback or in JSON has no
    line breaks."""
    lines = secret.get_secret_value().splitlines()
    if masked := [line for line in lines if not line.startswith("-----")]:
        mask_secret([*masked])


def hide_masked_values() -> None:
    """Show Airflow's requests to mask a secret as ``***``. Call it before reading a connection.

    ``airflow dags test`` (3.3.2) writes every request of a task to the debug log, including one for the password
    of each connection that the task reads: "Sending request msg=MaskSecret(value='…')".
    """
    from airflow.sdk.execution_time.comms import MaskSecret

    MaskSecret.__repr_args__ = lambda self: [("value", "***")]  # type: ignore[method-assign]


def _take_apart(conn: Any) -> tuple[ConnectionParts, str | None]:
    """The parts of a connection without its extra, and the extra."""
    password = SecretStr(conn.password or "")
    return ConnectionParts(conn.conn_type, conn.host, conn.port, conn.schema, conn.login, password, {}), conn.extra


def _object(text: str | None, conn_id: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise BadConnection(f"extra of {conn_id} isn't valid JSON: {error}.") from None
    if not isinstance(found, dict):
        raise BadConnection(f"extra of {conn_id} must be a JSON object, such as {{}}.")
    # Airflow's form saves a field that was left empty as null or as "".
    return {name: value for name, value in found.items() if value not in (None, "")}
