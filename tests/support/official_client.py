"""Kalshi's own Python client, as the reference for our signatures and for the sandbox."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

NAME, VERSION = "kalshi_python_sync", "3.34.0"
FOLDER = Path(__file__).resolve().parents[2] / ".local" / f"kalshi-python-sync-{VERSION}"


@dataclass(frozen=True)
class Operation:
    """What the official client knows of one GET: its path, with ``{}`` for each ticker, and its answer."""

    path: str
    answer: str
    signed: bool


class OfficialClient:
    """The installed client; nothing of it needs the network."""

    def __init__(self) -> None:
        self.auth: Any = importlib.import_module(f"{NAME}.auth")
        self.models: Any = importlib.import_module(f"{NAME}.models")
        self.operations = {operation.path: operation for operation in self._operations()}

    def model_of(self, path: str) -> Any:
        """The pydantic model of the answer to ``GET path``."""
        return getattr(self.models, self.operations[blank(path)].answer)

    def _operations(self) -> Iterator[Operation]:
        # Generated code: an operation's public methods name its answer's model, then a private one its path.
        modules = sorted((FOLDER / NAME / "api").glob("*_api.py"))
        source = re.split(r"def _\w+_serialize\(", "".join(module.read_text("utf-8") for module in modules))
        for methods, private in pairwise(source):
            if get := re.search(r"method='GET',\s+resource_path='([^']+)'", private):
                answer = re.findall(r"'200': \"(\w+)\"", methods)[-1]
                yield Operation(blank(get[1]), answer, "'kalshiAccessKey'" in private[: get.start()])


def blank(path: str) -> str:
    """``/markets/{ticker}`` without the parameter's name, which differs between clients."""
    return re.sub(r"\{\w+\}", "{}", path)


def installed_client() -> OfficialClient:
    """Installed once into ``.local``: it declares Python 3.13 and up, and its models load on 3.11 as well."""
    if not FOLDER.exists():
        unfinished = FOLDER.with_name(f"{FOLDER.name}.{os.getpid()}")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-requires-python"]
        subprocess.run([*pip, "--target", str(unfinished), f"{NAME}=={VERSION}"], check=True)
        unfinished.rename(FOLDER)
    sys.path.append(str(FOLDER))
    return OfficialClient()
