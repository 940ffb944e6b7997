"""Keeps secrets out of Airflow's own debug log."""

from __future__ import annotations


def hide_masked_values() -> None:
    """Let Airflow's requests to mask a secret show as ``***``. Call it before a connection is read.

    ``airflow dags test`` (3.3.2) writes every request of a task into the debug log, and each password of a
    connection that the task reads is one: "Sending request msg=MaskSecret(value='…')".
    """
    from airflow.sdk.execution_time.comms import MaskSecret

    MaskSecret.__repr_args__ = lambda self: [("value", "***")]  # type: ignore[method-assign]
