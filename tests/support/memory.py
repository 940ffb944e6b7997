"""Folders for the data of servers, in memory if there is room, so that no test waits for a disk."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from scripts import mysql_cluster, private_server
from scripts.private_server import PrivateServer, Program

MEMORY = Path("/dev/shm")  # noqa: S108 (each folder is private to its owner)
PREFIX = "kalshi-tests-"
LOCK = "lock"
ROOM_BYTES = 4 * 2**30
"""What must be free: four processes with two servers each take about half of it."""


@contextmanager
def data_folder() -> Iterator[Path]:
    """A new folder, removed when the with-block ends; without room in memory, where temporary files are."""
    _remove_abandoned()
    with TemporaryDirectory(prefix=PREFIX, dir=MEMORY if _has_room() else None) as folder, _locked(Path(folder)):
        data = Path(folder) / "data"
        data.mkdir()
        yield data


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder. A lock ends with its process, and another container that shares the memory sees it, too: it
    would not find the process."""
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


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
    for lock in MEMORY.glob(f"{PREFIX}*/{LOCK}"):
        with suppress(BlockingIOError, FileNotFoundError), _locked(lock.parent):  # somebody's, or just removed
            private_server.stop(lock.parent / "data")
            mysql_cluster.stop(lock.parent / "data")
            shutil.rmtree(lock.parent, ignore_errors=True)
