"""Airflow's command line in a process that has already imported it: most of the time of a short ``airflow dags test``.

Run as a program, this file is that process. It forks for each command, so no command sees another's leftovers.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

LONGEST_REQUEST = 1 << 20


@dataclass(frozen=True)
class Command:
    """A running command: its process, and its combined stdout and stderr."""

    pid: int
    output: TextIO
    _server: socket.socket

    def wait(self) -> int:
        """The exit code, or minus the number of the signal that ended it. Read ``output`` to its end first."""
        return int(self._server.recv(64))


class WarmAirflow:
    """Runs Airflow's commands, one at a time."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server

    @contextmanager
    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Command]:
        """Start ``airflow ARGUMENTS`` with exactly these environment variables.

        What Airflow reads from variables when it is imported (its home, its database) stays as it was then.

        Raises:
            ConnectionError: the process that imported Airflow has ended.
        """
        reader, writer = os.pipe()
        with os.fdopen(reader, errors="replace") as output:
            request = json.dumps([list(arguments), dict(environment)]).encode()
            try:
                socket.send_fds(self._server, [request], [writer])
            finally:
                os.close(writer)
            pid = self._server.recv(64)
            if not pid:
                raise ConnectionError("The process that imported Airflow has ended.")
            yield Command(int(pid), output, self._server)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; ``stdout`` of the result holds both streams."""
        with self.start(arguments, environment) as command:
            output = command.output.read()
            return subprocess.CompletedProcess(["airflow", *arguments], command.wait(), output)


@contextmanager
def warm_airflow(environment: Mapping[str, str], log: TextIO) -> Iterator[WarmAirflow]:
    """Import Airflow with ``environment``; ``log`` receives what that prints.

    Raises:
        SystemExit: it can't be imported.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        command = [sys.executable, "-P", str(Path(__file__).resolve()), str(theirs.fileno())]
        with (
            theirs,
            subprocess.Popen(
                command,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as server,
        ):
            theirs.close()
            if not ours.recv(64):
                raise SystemExit(f"Airflow doesn't start: see {log.name}.")
            try:
                yield WarmAirflow(ours)
            finally:
                ours.close()  # the process ends when its client hangs up
                server.wait()


def serve(client: socket.socket) -> None:
    """Run the commands of ``client`` until it hangs up."""
    airflow = _import_airflow()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the commands
    gc.freeze()  # the commands' garbage collector skips what was imported: halves the time of a short one
    client.send(b"ready")
    while True:
        request, descriptors, _, _ = socket.recv_fds(client, LONGEST_REQUEST, 1)
        if not request:
            return
        (output,) = descriptors
        if (pid := os.fork()) == 0:
            client.close()
            arguments, environment = json.loads(request)
            _become(airflow, arguments, environment, output)
            return
        os.close(output)
        client.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        client.send(str(os.waitstatus_to_exitcode(status)).encode())


def _import_airflow() -> Callable[[], None]:
    """Import what ``dags test`` and its tasks need, with the API, which is built at its first request, and the ORM's
    mappers, which are at their first query; return Airflow's ``main``."""
    import altair  # noqa: F401
    import great_expectations  # noqa: F401
    import httpx
    from airflow.__main__ import main
    from airflow.cli.commands import dag_command  # noqa: F401
    from airflow.models import import_all_models
    from airflow.sdk.execution_time.supervisor import in_process_api_server
    from sqlalchemy.orm import configure_mappers

    import_all_models()  # type: ignore[no-untyped-call]
    configure_mappers()

    async def ask() -> None:
        transport = in_process_api_server().atransport
        async with httpx.AsyncClient(transport=transport, base_url="http://airflow") as client:
            (await client.get("/health")).raise_for_status()

    asyncio.run(ask())
    return main


def _become(airflow: Callable[[], None], arguments: list[str], environment: dict[str, str], output: int) -> None:
    """Run one command in this process, forked for it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["airflow", *arguments]
    airflow()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
