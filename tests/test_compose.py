"""docker-compose.yaml, as far as it can be checked without Docker."""

from __future__ import annotations

import base64
import json
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest
import requests
import yaml

from scripts.airflow_process import SECONDS_TO_START, stop_group
from scripts.private_server import PrivateServer, free_port
from tests.support.exchange_server import ExchangeServer

PROJECT = Path(__file__).resolve().parents[1]
TEXT = (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]
ONCE = {"init"}
SETTING = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)
SECRET = re.compile(r"^(\w*(?:PASSWORD|KEY|SECRET))=(.*)$", re.MULTILINE)


def environment_file(folder: Path) -> Path:
    """``.env`` as ``make env`` makes it, beside a copy of the example."""
    (folder / "scripts").mkdir()
    for name in (".env.example", "scripts/env_file.py"):
        shutil.copy(PROJECT / name, folder / name)
    subprocess.run([sys.executable, folder / "scripts/env_file.py"], check=True, capture_output=True)
    return folder / ".env"


def test_it_is_a_compose_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, PROJECT / "docker-compose.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_pinned_limited_watched_and_without_rights(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":\d+\.\d+\.\d+(-\w+)?$", service["image"])
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "healthcheck" in service or name in ONCE
    assert "build" in service or service["user"] in ("mysql", "redis"), "the image of Airflow has a user of its own"
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")


def test_the_image_runs_without_root_and_is_of_the_version_that_is_locked() -> None:
    lines = (PROJECT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER")][-1] == "USER airflow"
    (version,) = re.findall(r"^apache-airflow==(\S+)$", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    assert f"ARG AIRFLOW={version}-python3.11" in lines
    for line in lines:
        if line.startswith("COPY"):
            for source in line.split()[1:-1]:
                assert (PROJECT / source).exists(), line


def test_it_refuses_to_start_with_the_example_as_it_is() -> None:
    """Compose refuses ``${NAME:?…}`` if NAME is empty, as every secret in the example is."""
    secrets = dict(SECRET.findall((PROJECT / ".env.example").read_text(encoding="utf-8")))
    assert len(secrets) == 10
    assert set(secrets.values()) == {""}
    used = {name for name in re.findall(r"\$\{(\w+)", TEXT) if SECRET.match(f"{name}=")}
    assert used == secrets.keys()
    for name in secrets:
        assert set(re.findall(rf"\$\{{{name}(:?[-?]?)", TEXT)) == {":?"}, name


def test_the_file_itself_holds_no_password() -> None:
    for word in re.findall(r"\b\w*(?:PASSWORD|SECRET|KEY)\w*: (.*)", TEXT):
        assert word.startswith(("${", "/opt/airflow/auth/")), word
    for word in re.findall(r"://\w*:([^@\s]*)@", TEXT):
        assert word.startswith("${"), word


def test_make_env_gives_every_secret_a_value_of_its_own_once(tmp_path: Path) -> None:
    made = environment_file(tmp_path)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    secrets = dict(SECRET.findall(made.read_text(encoding="utf-8")))
    assert len(set(secrets.values())) == len(secrets) == 10
    assert {len(base64.urlsafe_b64decode(value)) for value in secrets.values()} == {32}
    again = subprocess.run(
        [sys.executable, tmp_path / "scripts/env_file.py"], capture_output=True, text=True, check=False
    )
    assert again.returncode == 1
    assert "exists and holds the passwords of your volumes" in again.stderr
    assert dict(SECRET.findall(made.read_text(encoding="utf-8"))) == secrets


USERS = ("airflow", "kalshi_migrate", "kalshi_load", "kalshi_read")


@dataclass(frozen=True)
class Machine:
    """A real MySQL with the users of docker/mysql_users.sh, and what stands for the containers' /opt/airflow."""

    home: Path
    secrets: dict[str, str]
    mysql_port: int
    api_port: int

    def environment(self, service: str, **changed: str) -> dict[str, str]:
        """What Compose and the image give a service, with ``changed`` in ``.env`` and this machine's places."""
        settings = {**dict(SETTING.findall((self.home / ".env").read_text(encoding="utf-8"))), **changed}
        given = dict(re.findall(r"^ENV (\w+)=(.*)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE))
        given |= {name: interpolated(str(value), settings) for name, value in SERVICES[service]["environment"].items()}
        places = {
            r"/opt/airflow": str(self.home),
            r"@mysql(:3306)?/": f"@127.0.0.1:{self.mysql_port}/",
            r"//(api-server|localhost):8080": f"//127.0.0.1:{self.api_port}",
        }
        for there, here in places.items():
            given = {name: re.sub(there, here, value) for name, value in given.items()}
        return {
            **given,
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "AIRFLOW_HOME": str(self.home),
            "KALSHI_REPORTS_FOLDER": str(self.home / "reports"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.api_port),
        }

    def run(self, service: str, *command: str, **changed: str) -> str:
        """A command in a service, to its good end; what it printed."""
        environment = self.environment(service, **changed)
        done = subprocess.run(
            command,
            env=environment,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout


def interpolated(text: str, settings: dict[str, str]) -> str:
    """As Compose does it: ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?words}``, one within another."""

    def value(found: re.Match[str]) -> str:
        name, how, words = found.groups()
        assert settings.get(name) or how != ":?", f"{name}: {words}"
        return settings.get(name) or words or ""

    while (after := re.sub(r"\$\{(\w+)(:[-?])?([^${}]*)\}", value, text)) != text:
        text = after
    return text.replace("$$", "$")


@pytest.fixture(scope="module")
def machine(mysql: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    home = tmp_path_factory.mktemp("opt") / "airflow"
    home.mkdir()
    secrets = dict(SECRET.findall(environment_file(home).read_text(encoding="utf-8")))
    for name in ("auth", "reports", "logs"):
        (home / name).mkdir()
    for name in ("dags", "plugins", "include", "docker"):
        (home / name).symlink_to(PROJECT / name)
    environment = {
        **secrets,
        "PATH": "/usr/bin:/bin",
        "MYSQL_ROOT_PASSWORD": mysql.root_password,
        "MYSQL_SOCKET": mysql.socket,
        "GRANTS": str(PROJECT / "include/sql/grants.sql"),
    }
    command = ["bash", str(PROJECT / "docker/mysql_users.sh")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        assert done.returncode == 0, done.stderr
        yield Machine(home, secrets, mysql.port, free_port())
    finally:
        with mysql.as_root() as cursor:
            for name in ("airflow", "kalshi"):
                cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            for user in USERS:
                cursor.execute(f"DROP USER IF EXISTS {user}")


def test_a_new_mysql_gets_the_users_that_the_services_log_in_as(machine: Machine) -> None:
    for user in USERS:
        password = machine.secrets[f"MYSQL_{user.rpartition('_')[2].upper()}_PASSWORD"]
        with pymysql.connect(
            host="127.0.0.1", port=machine.mysql_port, user=user, password=password, ssl={"verify_mode": "none"}
        ) as connection:
            connection.select_db(user.partition("_")[0])


def test_a_job_of_the_worker_shows_on_the_pages_of_the_api_server_after_a_login(
    machine: Machine, exchange_server: ExchangeServer
) -> None:
    """Each service in the environment that the file gives it, and as the user of the warehouse that it says."""
    machine.run("init", *SERVICES["init"]["command"][:1], "docker/init.sh")
    job = ["airflow", "dags", "test", "kalshi_catalog_sync", "--conf", json.dumps({"series": ["KXHIGHNY"]})]
    machine.run("worker", *job, AIRFLOW_CONN_KALSHI_DEFAULT=exchange_server.base_url)
    environment = machine.environment("api-server")
    log = machine.home / "api-server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["airflow", *SERVICES["api-server"]["command"].split()],
            env=environment,
            cwd=machine.home,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{machine.api_port}"
        until_it_answers(process, f"{url}/api/v2/monitor/health", log)
        login = {"username": "admin", "password": machine.secrets["UI_PASSWORD"]}
        token = requests.post(f"{url}/auth/token", json=login, timeout=60).json()["access_token"]
        event = "KXHIGHNY-26SEP20"
        pages = {"": "<td>catalog</td>", "coverage": event, f"event/{event}": f"{event}-", "portfolio": "Portfolio"}
        for page, words in {**pages, "reports": "kalshi_catalog_sync"}.items():
            answer = requests.get(f"{url}/kalshi/{page}", headers={"Authorization": f"Bearer {token}"}, timeout=60)
            assert (answer.status_code, words in answer.text) == (200, True), f"{page}: {answer.text[-2000:]}"
    finally:
        stop_group(process)
    for service, user in {"init": "kalshi_migrate", "worker": "kalshi_load", "api-server": "kalshi_read"}.items():
        assert f"//{user}:" in machine.environment(service)["AIRFLOW_CONN_KALSHI_WAREHOUSE"]


def until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(url, timeout=5).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.5)
    pytest.fail(log.read_text(errors="replace")[-3000:])
