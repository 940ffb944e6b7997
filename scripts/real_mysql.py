"""A real (Oracle) MySQL server and its Router on Debian, which ships only MariaDB in its stable release.

The packages of Debian's unstable release are unpacked into a private folder and run with their own
dynamic loader, so the system's libraries stay untouched. The first time takes about 12 s and 570 MB.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from scripts.private_server import Program, ServerError

PACKAGES = ("mysql-server-core", "mysql-client-core", "mysql-router")
PROGRAMS = ("sbin/mysqld", "bin/mysqlrouter")
# Needed only by the packages' install scripts, which never run here.
NOT_NEEDED = re.compile(
    r"^(perl.*|libperl.*|libgdbm.*|libdb5.*|debconf|dpkg|tar|base-files|coreutils|.*systemd.*|gcc-.*-base|tzdata)$"
)


def download(folder: Path) -> Program:
    """The server in ``folder``, downloaded first if necessary.

    Raises:
        ServerError: this isn't Debian, or the mirror lacks the packages at the moment.
    """
    root = _unpacked(folder)
    mysqld = [
        *_command(root, "sbin/mysqld"),
        "--no-defaults",
        f"--basedir={root / 'usr'}",
        f"--lc-messages-dir={root / 'usr/share/mysql'}",
        f"--plugin-dir={root / 'usr/lib/mysql/plugin'}",
        f"--character-sets-dir={root / 'usr/share/mysql/charsets'}",
    ]
    return Program([*mysqld, "--initialize-insecure"], [*mysqld, "--mysqlx=OFF", "--skip-log-bin"])


@dataclass(frozen=True)
class RouterPrograms:
    """How to run MySQL Router and the tool that keeps its passwords, and where its plugins are."""

    router: list[str]
    keyring: list[str]
    plugins: Path


def download_router(folder: Path) -> RouterPrograms:
    """MySQL Router, from the same packages as the server.

    Raises:
        ServerError: as for :func:`download`.
    """
    root = _unpacked(folder)
    router, keyring = (_command(root, f"bin/{name}") for name in ("mysqlrouter", "mysqlrouter_keyring"))
    return RouterPrograms(router, keyring, root / "usr/lib/mysqlrouter/plugin")


def _unpacked(folder: Path) -> Path:
    """The packages' files, downloaded first if a program is missing."""
    root = folder.resolve() / "root"
    if not all((root / "usr" / program).exists() for program in PROGRAMS):
        _unpack_packages(folder.resolve(), root)
    return root


def _command(root: Path, program: str) -> list[str]:
    """A program of the packages, run by their own dynamic loader."""
    libraries = next(iter(root.glob("usr/lib/*-linux-gnu")), None)
    loader = next(iter(sorted(libraries.glob("ld-linux-*.so.*"))), None) if libraries else None
    if libraries is None or loader is None:
        raise ServerError(f"The packages in {root} contain no C library: remove the folder and try again.")
    paths = f"{libraries}:{root / 'usr/lib/mysql-router'}"
    path = str(root / "usr" / program)
    return [str(loader), "--library-path", paths, "--argv0", path, path]


def _unpack_packages(folder: Path, root: Path) -> None:
    if not shutil.which("apt-get"):
        raise ServerError("A real MySQL is downloaded with apt-get, which this machine lacks: it isn't Debian.")
    apt = private_apt(folder)
    _output([*apt, "update", "-qq"])
    uris = _output([*apt, "install", "-y", "--no-install-recommends", "--print-uris", *PACKAGES])
    names = sorted(set(re.findall(r" ([a-z0-9.+-]+)_\S+\.deb ", uris)))
    archives = folder / "apt/cache/archives"
    _output([*apt, "download", "-qq", *(n for n in names if not NOT_NEEDED.match(n))], cwd=archives)
    unpacking = folder / "unpacking"
    shutil.rmtree(unpacking, ignore_errors=True)
    unpacking.mkdir()
    for package in sorted(archives.glob("*.deb")):
        _output(["dpkg", "-x", str(package), str(unpacking)])
    shutil.rmtree(folder / "apt")
    shutil.rmtree(root, ignore_errors=True)
    unpacking.rename(root)


def private_apt(folder: Path) -> list[str]:
    """apt-get with private package lists and cache, for the unstable release on this machine's mirror."""
    find_mirror = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    mirrors = [uri for uri in _output(find_mirror).split() if "security" not in uri]
    if not mirrors:
        raise ServerError("apt-get has no package lists yet: run apt-get update as root first.")
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (apt / "sources.list").write_text(f"deb [signed-by={keyring}] {mirrors[0]} sid main\n")
    settings = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Check-Valid-Until": "false",  # a mirror that lags: the signature is still checked
        "Acquire::Languages": "none",
    }
    return ["apt-get", *(f"-o{name}={value}" for name, value in settings.items())]


def _output(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    if done.returncode:
        raise ServerError(f"{' '.join(command[:2])} … failed:\n{textwrap.indent(done.stderr[-1500:], '  ')}")
    return done.stdout
