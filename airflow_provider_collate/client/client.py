"""One server: its release, who the token belongs to, and its services."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
from pydantic import JsonValue

from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.kinds import KINDS, ServiceKind
from airflow_provider_collate.client.messages import ApiRequest
from airflow_provider_collate.client.release import Release
from airflow_provider_collate.client.services import Services, fqn_of
from airflow_provider_collate.client.tokens import TokenSource
from airflow_provider_collate.client.transport import Transport
from airflow_provider_collate.exceptions import NotFoundError

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose token it is.

    :param name: the user's name.
    :param is_bot: whether the server treats it as a bot, whose PUT keeps what people wrote (recorded).
    """

    name: str
    is_bot: bool


class CollateClient:
    """A thread-safe client of one Collate or OpenMetadata server.

    :param config: where the server is and how patient to be.
    :param tokens: where the token comes from, and comes from again when it is refused.
    :param http: the network, or what stands in for it.
    :param clock: a monotonic clock in seconds.
    :param sleep: waits for seconds between attempts.
    """

    def __init__(
        self,
        config: ClientConfig,
        tokens: TokenSource,
        *,
        http: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.config = config
        self.transport = Transport(config, tokens, http=http, clock=clock, sleep=sleep)
        self._lock = threading.RLock()
        self._release: Release | None = None
        self._identity: Identity | None = None
        self._references: dict[tuple[str, str], dict[str, JsonValue] | None] = {}
        self._services = {name: Services(self.transport, kind, self.release) for name, kind in KINDS.items()}
        self.bulk_is_missing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()

    def stop(self) -> None:
        """Send nothing more; safe to call from a signal handler."""
        self.transport.stop()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self.transport.stopped

    @property
    def ui_url(self) -> str:
        """The address of the user interface, without a slash at its end."""
        return self.config.url.removesuffix("/api")

    def services(self, kind: ServiceKind) -> Services:
        """The endpoints of one kind of service."""
        return self._services[kind.collection]

    def page_of(self, kind: ServiceKind, name: str) -> str:
        """The UI's page of a service."""
        return f"{self.ui_url}/service/{kind.collection}/{quote(fqn_of(name), safe='')}"

    def list_page(self, kind: ServiceKind) -> str:
        """The UI's page of all services of a kind."""
        return f"{self.ui_url}/{kind.list_page}"

    def release(self) -> Release:
        """The server's release, asked once. `GET /v1/system/version`, which answers without a token.

        :raises RequestError: as `Transport.send`.
        """
        with self._lock:
            if self._release is None:
                answer = self.transport.send(ApiRequest("GET", "/v1/system/version", authenticated=False))
                version = answer.mapping().get("version")
                if not isinstance(version, str):
                    raise answer.unexpected("the server's version")
                self._release = Release(version)
            return self._release

    def identity(self) -> Identity:
        """Whose token it is, asked once. `GET /v1/users/loggedInUser`.

        :raises AuthenticationError: when the token is refused.
        """
        with self._lock:
            if self._identity is None:
                answer = self.transport.send(ApiRequest("GET", "/v1/users/loggedInUser"))
                body = answer.mapping()
                name = body.get("name")
                if not isinstance(name, str):
                    raise answer.unexpected("a user")
                self._identity = Identity(name, body.get("isBot") is True)
            return self._identity

    def reference(self, collection: str, fqn: str) -> dict[str, JsonValue] | None:
        """The reference to a domain or data product that a patch needs, asked once each; None when it does not exist.

        :param collection: `domains` or `dataProducts`.
        :param fqn: its fully qualified name.
        """
        with self._lock:
            if (collection, fqn) not in self._references:
                self._references[collection, fqn] = self._look_up(collection, fqn)
            return self._references[collection, fqn]

    def _look_up(self, collection: str, fqn: str) -> dict[str, JsonValue] | None:
        path = f"/v1/{collection}/name/{quote(fqn, safe='')}"
        try:
            answer = self.transport.send(ApiRequest("GET", path))
        except NotFoundError:
            return None
        found = answer.mapping().get("id")
        if not isinstance(found, str):
            raise answer.unexpected("an id")
        return {"id": found, "type": collection.removesuffix("s")}
