"""Send logs to stderr, because the output of a command may be a file, or another program's input."""

from __future__ import annotations

PACKAGE = "airflow_provider_collate"


def log_to_stderr(name: str, level: str) -> None:
    """Send what a package logs to stderr, whatever Airflow has set up when it was imported.

    :param name: the package.
    :param level: what is logged at least.
    """
    import logging  # what commands without a server need not load

    log = logging.getLogger(name)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers, log.propagate = [handler], False
    log.setLevel(level)


def quieten_airflow() -> None:
    """Let only Airflow's warnings through; 2.11 prints to stdout that it reads a connection. Import Airflow first."""
    log_to_stderr("airflow", "WARNING")


def quieten_http() -> None:
    """Let only warnings of the HTTP libraries through: they log each request, and at DEBUG the headers of answers."""
    for name in ("httpx", "httpcore"):
        log_to_stderr(name, "WARNING")
