"""Child processes that live no longer than the tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

STOP_SECONDS = 5.0  # what it would still save is thrown away
POLL_SECONDS = 0.2
MOST_LOG_LINES = 60


class Child:
    """A process in a group of its own, with its output in a file.

    :param name: what messages call it.
    :param command: the program and its arguments.
    :param env: its whole environment.
    :param log: the file that takes its output.
    """

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                list(command),
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def tail(self) -> str:
        """The last lines it printed."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-MOST_LOG_LINES:])

    def stop(self) -> None:
        """End it with all that it started, also what has left its process group."""
        family = _family(self._process.pid)
        self._signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        self._signal(signal.SIGKILL)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=STOP_SECONDS)
        self._process.wait()

    def kill(self) -> None:
        """End it with all that it started by SIGKILL, as when its machine is lost."""
        for process in _family(self._process.pid):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


@contextmanager
def running(name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> Iterator[Child]:
    """A child for the length of a `with` block."""
    child = Child(name, command, env, log)
    try:
        yield child
    finally:
        child.stop()


def wait_until(what: str, is_so: Callable[[], bool], children: Sequence[Child], seconds: float) -> None:
    """Ask again and again until something is so.

    :param what: as a sentence goes on after "waited for", e.g. "the web server".
    :param children: the processes that are to bring it about; one that ends is a failure at once.
    :raises AssertionError: with the last lines of each child's output.
    """
    deadline = time.monotonic() + seconds
    while not is_so():
        ended = [child.name for child in children if not child.is_running]
        if ended:
            raise AssertionError(f"{', '.join(ended)} ended before {what}\n{_tails(children)}")
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s for {what}\n{_tails(children)}")
        time.sleep(POLL_SECONDS)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _tails(children: Sequence[Child]) -> str:
    return "\n".join(f"--- {child.name}\n{child.tail()}" for child in children)
