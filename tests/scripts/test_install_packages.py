"""scripts/install_packages.sh: packages for .venv, by uv where it can, else by pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.airflow_cli import PROJECT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script, and a new .venv with uv; ``wheels`` in it holds packages that no index has."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts/install_packages.sh", folder / "scripts")
    venv.create(folder / ".venv", with_pip=True)
    (folder / ".venv/bin/uv").symlink_to(Path(sys.executable).with_name("uv"))
    (folder / "wheels").mkdir()
    for name in ("first", "second", "third"):
        info = f"kalshi_{name}-1.0.dist-info"
        with zipfile.ZipFile(folder / f"wheels/kalshi_{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: kalshi_{name}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return folder


def install(checkout: Path, package: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "scripts/install_packages.sh", package],
        env={**os.environ, "UV_OFFLINE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def installed_by(checkout: Path, package: str) -> str:
    (record,) = checkout.glob(f".venv/lib/python*/site-packages/{package}-1.0.dist-info/INSTALLER")
    return record.read_text().strip()


def test_uv_installs_what_it_finds(checkout: Path) -> None:
    done = install(checkout, "kalshi_first", UV_FIND_LINKS=str(checkout / "wheels"))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert installed_by(checkout, "kalshi_first") == "uv"


def test_pip_installs_where_its_settings_say_from_where(checkout: Path) -> None:
    done = install(checkout, "kalshi_second", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(checkout / "wheels"))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert installed_by(checkout, "kalshi_second") == "pip"


def test_pip_takes_over_where_uv_cannot_and_its_words_stay(checkout: Path) -> None:
    done = install(checkout, "kalshi_third", PIP_FIND_LINKS=str(checkout / "wheels"))
    assert done.returncode == 0, done.stderr
    assert "kalshi-third was not found" in done.stderr
    assert installed_by(checkout, "kalshi_third") == "pip"


def test_a_package_that_neither_finds_is_named(checkout: Path) -> None:
    done = install(checkout, "kalshi_fourth", PIP_NO_INDEX="1")
    assert done.returncode != 0
    assert "No matching distribution found for kalshi_fourth" in done.stderr
