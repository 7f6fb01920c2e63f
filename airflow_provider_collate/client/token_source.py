"""Give the client its token, and another one when that is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import httpx


class TokenSource:
    """Hand out the token; read it again, once for all threads, when the server refuses it.

    :param read: returns the token as it is now, e.g. by reading the Airflow connection again.
    :param token: the token, where it was read already.
    """

    def __init__(self, read: Callable[[], str], *, token: str | None = None) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._token = token
        self._refused: str | None = None

    def current(self) -> str:
        """Return the token in use."""
        with self._lock:
            if self._token is None:
                self._token = self._read()
            return self._token

    def renew(self, refused: str) -> bool:
        """Read the token again after `refused` was refused; once for each token, however many threads ask.

        :return: whether there is another one to try; also true when another thread has renewed it meanwhile.
        """
        with self._lock:
            if refused not in (self._refused, self._token):
                return True
            if refused != self._refused:
                self._refused = refused
                self._token = self._read()
            return self._token != refused


class BearerAuth(httpx.Auth):
    """Put the token on a request where it leaves, so that no other object holds it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the `Authorization` header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
