"""The wheel, in a virtual environment that has never seen this repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import jsonschema
import pytest

from kalshi.provider import get_provider_info
from scripts.airflow_home import sqlite_address
from tests.support.airflow_cli import PROJECT
from tests.support.exchange_server import ExchangeServer

pytestmark = pytest.mark.slow

UV = [sys.executable, "-m", "uv"]
VERSION = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
REPOSITORY = ("AIRFLOW", "KALSHI", "PYTHON", "VIRTUAL_ENV")
"""Variables that could lead back to the repository begin with these."""
PAGES = """
import json
from airflow import plugins_manager
from airflow.providers_manager import ProvidersManager
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
plugins, errors = plugins_manager._get_plugins()
(form,) = [form for form in HookMetaService.hook_meta_data() if form.connection_type == "kalshi"]
from kalshi.ui.app import app
print(json.dumps({
    "plugins": [f"{plugin.name} from {plugin.source}" for plugin in plugins if plugin.name == "kalshi"],
    "errors": errors,
    "form": form.model_dump(),
    "hook": ProvidersManager().hooks["kalshi"].connection_testable,
    "routes": sorted({route.path for route in app.routes}),
}))
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([*UV, "build", "--quiet", "--wheel", "--out-dir", folder, PROJECT], check=True)
    (file,) = folder.glob("*.whl")
    return file


class Installed:
    """An Airflow with the wheel: its Python, and its home."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.home = folder / "venv" / "bin", folder / "home"
        self.home.mkdir()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(REPOSITORY)},
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": sqlite_address(self.home),
        }

    def run(self, *command: str, **variables: str) -> str:
        """What the command prints on stdout."""
        done = subprocess.run(
            command, env={**self.environment, **variables}, cwd="/", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel with the locked versions, in a new virtual environment, and Airflow with a pool."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    lock, python = str(PROJECT / "requirements.txt"), str(folder / "venv" / "bin" / "python")
    install = [*UV, "pip", "install", "--quiet", "--python", python, "--constraint", lock, str(wheel)]
    subprocess.run(install, check=True)
    installed = Installed(folder)
    installed.environment["AIRFLOW__CORE__DAGS_FOLDER"] = installed.run("python", "-m", "kalshi", "dags").strip()
    installed.run("airflow", "db", "migrate")
    installed.run("airflow", "pools", "set", "kalshi_api", "8", "Tasks that send requests to the exchange")
    return installed


def test_the_wheel_holds_what_the_repository_does(wheel: Path) -> None:
    assert wheel.name == f"kalshi_warehouse-{VERSION}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in (("plugins/kalshi", "kalshi"), ("dags", "kalshi/dags"), ("include", "kalshi/include")):
        files = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT / folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert files, folder
        assert not {f"{inside}/{file}" for file in files} - names
    assert not [name for name in names if not name.startswith(("kalshi/", "kalshi_warehouse-"))]
    assert not [name for name in names if name.endswith((".pth", ".pyc"))]


def test_the_provider_is_as_airflow_wants_it() -> None:
    import airflow

    folder = Path(airflow.__file__).parent
    jsonschema.validate(get_provider_info(), json.loads((folder / "provider_info.schema.json").read_text("utf-8")))
    kinds = json.loads((folder / "provider.yaml.schema.json").read_text("utf-8"))["properties"]["connection-types"]
    jsonschema.validate(get_provider_info()["connection-types"], kinds)


def test_airflow_has_the_provider_the_form_and_the_pages_once(installed: Installed) -> None:
    assert "kalshi-warehouse" in installed.run("airflow", "providers", "list")
    found = json.loads(installed.run("python", "-c", PAGES).splitlines()[-1])
    (plugin,) = found["plugins"]
    assert plugin.startswith(f"kalshi from kalshi-warehouse=={VERSION}")
    assert found["errors"] == {}
    assert set(found["form"]["extra_fields"]) == {"env", "private_key_path", "requests_per_second", "attempts"}
    assert found["form"]["standard_fields"]["login"]["title"] == "API key id"
    assert found["hook"]
    assert {"/", "/coverage", "/event/{event_ticker:path}", "/portfolio", "/reports"} < set(found["routes"])


def test_the_plugins_folder_of_the_repository_adds_no_second_plugin(installed: Installed) -> None:
    folder = {"AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins")}
    found = json.loads(installed.run("python", "-c", PAGES, **folder).splitlines()[-1])
    assert len(found["plugins"]) == 1
    assert found["errors"] == {}


def test_the_plugins_folder_serves_an_airflow_without_the_package() -> None:
    script = (
        "import importlib.metadata, sys\n"
        "importlib.metadata.entry_points = lambda **which: ()\n"
        "import kalshi_plugin\n"
        "assert kalshi_plugin.KalshiPlugin.fastapi_apps\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "plugins")}
    subprocess.run([sys.executable, "-c", script], env=environment, cwd="/", check=True)


def test_a_catalog_sync_is_green_and_reports_into_airflows_home(
    installed: Installed, exchange_server: ExchangeServer, empty_database: str
) -> None:
    connections = {
        "AIRFLOW_CONN_KALSHI_DEFAULT": json.dumps({"conn_type": "kalshi", "host": exchange_server.base_url}),
        "AIRFLOW_CONN_KALSHI_WAREHOUSE": empty_database,
    }
    listed = installed.run("airflow", "dags", "list", "--local", "--output", "plain")
    assert {file.stem for file in (PROJECT / "dags").glob("*.py")} <= set(listed.split())
    conf = json.dumps({"series": ["KXHIGHNY"]})
    installed.run("airflow", "dags", "test", "kalshi_catalog_sync", "--conf", conf, **connections)
    (report,) = (installed.home / "reports" / "kalshi_catalog_sync").glob("manual__*/report.json")
    assert json.loads(report.read_text())["verdict"] == "success"
    said = installed.run("python", "-m", "kalshi", "doctor", **connections)
    assert f"{installed.home}/reports" in said
    assert "0 failed" in said


def test_the_settings_are_printed_for_a_file_of_ones_own(installed: Installed, tmp_path: Path) -> None:
    text = installed.run("python", "-m", "kalshi", "settings")
    assert text == (PROJECT / "include" / "kalshi.toml").read_text(encoding="utf-8")
    own = tmp_path / "kalshi.toml"
    own.write_text(text.replace('folder = "reports"', 'folder = "elsewhere"'), encoding="utf-8")
    show = "from kalshi.settings import load_settings; print(load_settings().reports.path)"
    said = installed.run("python", "-c", show, KALSHI_SETTINGS=str(own))
    assert said.strip() == str(installed.home / "elsewhere")
    assert "CREATE USER" in installed.run("python", "-m", "kalshi", "grants")
