"""TLS to the warehouse, with real servers and a CA generated for the test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import trustme
from pydantic import SecretStr

from kalshi.warehouse.server import InsecureServer, ServerAddress, open_engine
from scripts import private_server
from scripts.address import address_of
from scripts.private_server import PrivateServer, Program
from tests.support.memory import passing_server

pytestmark = pytest.mark.database

REMOTE = "db.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and server.pem of a server named db.example that this CA signed."""
    folder = tmp_path_factory.mktemp("authority")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    ca.issue_cert(REMOTE).private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other_ca.pem"))
    return folder


@pytest.fixture(scope="module")
def secured(authority: Path) -> Iterator[PrivateServer]:
    """A MariaDB with that certificate."""
    program = private_server.installed_program()
    files = [f"--ssl-{part}={authority / 'server.pem'}" for part in ("cert", "key")]
    with passing_server(Program(program.initialize, [*program.serve, *files])) as server:
        yield server


@pytest.fixture(autouse=True)
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a remote host that leads to this machine."""
    look_up = socket.getaddrinfo

    def answer(host: Any, *others: Any, **named: Any) -> Any:
        return look_up("127.0.0.1" if host == REMOTE else host, *others, **named)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.fixture
def remote(secured: PrivateServer, authority: Path) -> ServerAddress:
    """The secured server, as a remote host with its CA."""
    return replace(address_of(secured.database("test_tls")), host=REMOTE, ssl_ca=str(authority / "ca.pem"))


def cipher(address: ServerAddress) -> str:
    """The cipher of a new connection; empty without TLS."""
    engine = open_engine(address)
    try:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one()[1])
    finally:
        engine.dispose()


def test_a_remote_server_is_reached_over_tls_by_default(remote: ServerAddress) -> None:
    assert cipher(remote).startswith("TLS_")


def test_a_certificate_of_an_unknown_ca_is_refused(remote: ServerAddress, authority: Path) -> None:
    for unknown in (None, str(authority / "other_ca.pem")):
        with pytest.raises(InsecureServer, match=r"certificate of the server on db\.example can't be trusted.*ssl.*ca"):
            cipher(replace(remote, ssl_ca=unknown))


def test_a_certificate_of_another_host_is_refused_unless_only_its_ca_counts(remote: ServerAddress) -> None:
    elsewhere = replace(remote, host="127.0.0.1", ssl_mode="VERIFY_IDENTITY")
    with pytest.raises(InsecureServer, match="VERIFY_CA"):
        cipher(elsewhere)
    assert cipher(replace(elsewhere, ssl_mode="VERIFY_CA")).startswith("TLS_")


def test_verification_and_tls_can_be_switched_off_in_so_many_words(remote: ServerAddress) -> None:
    assert cipher(replace(remote, ssl_ca=None, ssl_mode="REQUIRED")).startswith("TLS_")
    assert cipher(replace(remote, ssl_mode="DISABLED")) == ""


def test_this_machine_is_reached_without_tls(secured: PrivateServer) -> None:
    address = address_of(secured.database("test_tls"))
    assert [cipher(replace(address, host=host)) for host in ("127.0.0.1", "localhost")] == ["", ""]
    assert cipher(replace(address, host=REMOTE, unix_socket=secured.socket)) == ""


def test_a_server_without_tls_never_sees_the_password(empty_database: str, mariadb: PrivateServer) -> None:
    def refused_logins() -> int:
        with mariadb.as_root() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'")
            return int((cursor.fetchone() or ())[1])

    before = refused_logins()
    wrong = replace(address_of(empty_database), host=REMOTE, password=SecretStr("wrong"))
    with pytest.raises(InsecureServer, match=r"offers no TLS.*DISABLED"):
        cipher(wrong)
    assert refused_logins() == before
    with pytest.raises(sa.exc.OperationalError, match="Access denied"):
        cipher(replace(wrong, ssl_mode="DISABLED"))
    assert refused_logins() == before + 1


def test_the_certificate_that_mysql_makes_for_itself_works_with_its_ca(mysql: PrivateServer) -> None:
    with mysql.as_root() as cursor:
        cursor.execute("SELECT @@datadir")
        ca = Path((cursor.fetchone() or ())[0]) / "ca.pem"
    address = replace(address_of(mysql.database("test_tls")), host=REMOTE, ssl_ca=str(ca))
    with pytest.raises(InsecureServer, match="VERIFY_CA"):
        cipher(address)
    assert cipher(replace(address, ssl_mode="VERIFY_CA")).startswith("TLS_")


def test_files_that_cannot_be_read_are_named(remote: ServerAddress) -> None:
    with pytest.raises(InsecureServer, match=r"/no/such/ca\.pem"):
        cipher(replace(remote, ssl_ca="/no/such/ca.pem"))
