"""Keeps secrets out of Airflow's own debug log."""

from __future__ import annotations


def hide_masked_values() -> None:
    """Show Airflow's requests to mask a secret as ``***``. Call it before reading a connection.

    ``airflow dags test`` (3.3.2) writes every request of a task to the debug log, including one for the password
    of each connection that the task reads: "Sending request msg=MaskSecret(value='…')".
    """
    from airflow.sdk.execution_time.comms import MaskSecret

    MaskSecret.__repr_args__ = lambda self: [("value", "***")]  # type: ignore[method-assign]
