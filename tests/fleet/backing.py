"""PostgreSQL and Redis on loopback, each on a free port with its data in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.processes import Child, free_ports, running, wait_until

START_SECONDS = 60.0
USER = "postgres"  # PostgreSQL refuses to run as root, and Debian's package brings this user
DEBIAN = Path("/usr/lib/postgresql")


class MissingError(Exception):
    """A program that is not on this machine."""


@dataclass
class Redis:
    """A Redis that keeps nothing on the disk, so that what is queued is lost with it.

    :param port: where it listens.
    :param child: its process, None while it is gone.
    """

    port: int
    folder: Path
    child: Child | None = None

    def start(self) -> None:
        """Start it on its port, with nothing in it."""
        command = [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder), "--databases", "4"]
        self.child = Child("redis", command, os.environ, self.folder / "redis.log")
        wait_until("Redis", lambda: _listens(self.port), [self.child], START_SECONDS)

    def stop(self) -> None:
        """End it."""
        if self.child is not None:
            self.child.stop()
            self.child = None


@contextmanager
def redis(folder: Path) -> Iterator[Redis]:
    """Redis for the length of a `with` block."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Redis(free_ports(1)[0], folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """PostgreSQL for the length of a `with` block.

    :returns: its address without a database, as SQLAlchemy takes it but for the driver: `USER@127.0.0.1:PORT`.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    user: Sequence[str] = ()
    if os.geteuid() == 0:
        user = (program("setpriv"), f"--reuid={USER}", f"--regid={USER}", "--init-groups")
        shutil.chown(folder, USER, USER)
    [port] = free_ports(1)
    data = folder / "data"
    initdb = [*user, program("initdb"), "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C"]
    # No sync: what is in it is thrown away.
    subprocess.run([*initdb, "--no-sync", "-D", str(data)], check=True, capture_output=True, cwd=folder)
    command = [*user, program("postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", ""]
    command += ["-c", "fsync=off", "-c", "max_connections=300"]
    with running("postgres", command, os.environ, folder.parent / "postgres.log") as child:
        wait_until("PostgreSQL", lambda: _accepts(port), [child], START_SECONDS)
        yield f"{USER}@127.0.0.1:{port}"


def create_database(address: str, name: str) -> None:
    """Create a database."""
    port = address.rpartition(":")[2]
    command = [program("createdb"), "-h", "127.0.0.1", "-p", port, "-U", USER, name]
    subprocess.run(command, check=True, capture_output=True)


def execute(address: str, database: str, statement: str) -> str:
    """Run a statement and return what it prints."""
    port = address.rpartition(":")[2]
    command = [program("psql"), "-h", "127.0.0.1", "-p", port, "-U", USER, "-d", database, "-tAc", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def program(name: str) -> str:
    """Return the path of a program; Debian keeps PostgreSQL's own outside of PATH.

    :raises MissingError: if it is not here.
    """
    found = shutil.which(name)
    in_debian = sorted(DEBIAN.glob(f"*/bin/{name}"))
    if found is None and not in_debian:
        raise MissingError(f"there is no {name}; Debian has it in the packages redis-server, postgresql and util-linux")
    return found or str(in_debian[-1])


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _accepts(port: int) -> bool:
    ready = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(ready, check=False).returncode == 0
