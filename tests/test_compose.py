"""docker-compose.yaml, as far as it can be checked without Docker."""

from __future__ import annotations

import base64
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml

from scripts.private_server import PrivateServer

PROJECT = Path(__file__).resolve().parents[1]
TEXT = (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]
ONCE = {"init"}
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


def test_a_new_mysql_gets_the_users_that_the_services_log_in_as(mysql: PrivateServer, tmp_path: Path) -> None:
    secrets = dict(SECRET.findall(environment_file(tmp_path).read_text(encoding="utf-8")))
    users = ("airflow", "kalshi_migrate", "kalshi_load", "kalshi_read")
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
        for user in users:
            password = secrets[f"MYSQL_{user.rpartition('_')[2].upper()}_PASSWORD"]
            with pymysql.connect(
                host="127.0.0.1", port=mysql.port, user=user, password=password, ssl={"verify_mode": "none"}
            ) as connection:
                connection.select_db(user.partition("_")[0])
    finally:
        with mysql.as_root() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS airflow")
            cursor.execute("DROP DATABASE IF EXISTS kalshi")
            for user in users:
                cursor.execute(f"DROP USER IF EXISTS {user}")
