"""The message for an ordinary user without the packages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.airflow_cli import PROJECT

ALWAYS_INSTALLED = ("bash", "echo", "env", "python3", "sort", "xargs")


@pytest.fixture
def bare_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what every Debian has, and an ``id`` of an ordinary user."""
    folder = tmp_path_factory.mktemp("bin")
    for program in ALWAYS_INSTALLED:
        (folder / program).symlink_to(shutil.which(program) or program)
    (folder / "id").write_text("#!/bin/sh\necho 1000\n")
    (folder / "id").chmod(0o755)
    return folder


def test_without_root_one_message_names_every_package_of_demo_and_tests(bare_path: Path) -> None:
    done = subprocess.run(
        [PROJECT / "scripts" / "system_packages.sh", "run"],
        env={"PATH": str(bare_path), "PYTHON": "python3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    commands = [line for line in done.stderr.splitlines() if line.startswith("  apt-get update && apt-get install ")]
    assert len(commands) == 1, done.stderr
    assert {"gcc", "pkg-config", "libmariadb-dev", "mariadb-client-core", "chromium", "redis-server"} <= set(
        commands[0].split()
    )
