"""Folders for the data of servers, in memory if there is room, so that no test waits for a disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from scripts import private_server
from scripts.private_server import PrivateServer, Program

MEMORY = Path("/dev/shm")  # noqa: S108 (each folder is private to its owner)
PREFIX = "kalshi-tests-"
ROOM_BYTES = 4 * 2**30
"""What must be free: four processes with two servers each take about half of it."""


@contextmanager
def data_folder() -> Iterator[Path]:
    """A new folder, removed when the with-block ends; without room in memory, where temporary files are."""
    _remove_abandoned()
    with TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=MEMORY if _has_room() else None) as folder:
        yield Path(folder)


@contextmanager
def passing_server(program: Program) -> Iterator[PrivateServer]:
    """A server for the length of a with-block, which keeps nothing for longer."""
    with data_folder() as folder:
        yield private_server.ensure(folder, program, is_durable=False)
        private_server.stop(folder)


def _has_room() -> bool:
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        return False
    return bool(min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > ROOM_BYTES)


def _remove_abandoned() -> None:
    """Stop the servers of test processes that were killed, and free their memory."""
    for folder in MEMORY.glob(f"{PREFIX}*"):
        if not psutil.pid_exists(int(folder.name.removeprefix(PREFIX).partition("-")[0])):
            private_server.stop(folder)
            shutil.rmtree(folder, ignore_errors=True)
