"""Talk to one server: its release, the owner of the token, and its services."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.directory import Directory
from airflow_provider_collate.client.messages import ApiRequest
from airflow_provider_collate.client.release import Release
from airflow_provider_collate.client.services import Services
from airflow_provider_collate.client.transport import Transport
from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models.service import Service

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that a token belongs to.

    :param is_bot: whether the server treats it as a bot, whose PUT keeps what people wrote (recorded).
    """

    name: str
    is_bot: bool


class CollateClient(Transport):
    """A thread-safe client of one Collate or OpenMetadata server.

    :param config: where the server is, and the limits of a request.
    :param read_token: returns the token as it is now; called again when the server refuses it.
    :param token: the token, where it was read already.
    :param http: the network, or what stands in for it.
    :param clock: a monotonic clock in seconds.
    :param sleep: waits for seconds between attempts.
    """

    def __init__(
        self,
        config: ClientConfig,
        read_token: Callable[[], str],
        *,
        token: str | None = None,
        http: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(config, read_token, token, http, clock, sleep)
        self.directory = Directory(self)
        """The endpoints of what services refer to."""
        self.ui_url = config.url.removesuffix("/api")
        """The address of the user interface, without a slash at its end."""
        self.bulk_is_missing = False
        self._lock = threading.RLock()
        self._release: Release | None = None
        self._identity: Identity | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def plan_key(self, kind: ServiceKind) -> bytes:
        """Return a key for the fingerprints of plans: it tells nothing of the token, and nobody else can make it."""
        purpose = f"airflow-provider-collate plan\n{self.config.url}\n{kind.collection}"
        return hmac.digest(self._token.current().encode(), purpose.encode(), "sha256")

    def services(self, kind: ServiceKind, model: type[Service] = Service) -> Services:
        """Return the endpoints of one kind of service, registered or not."""
        return Services(self, kind, self.release, model)

    def page_of(self, kind: ServiceKind, fqn: str) -> str:
        """Return the UI's page of a service, by its fully qualified name."""
        return f"{self.ui_url}/service/{kind.collection}/{quote(fqn, safe='')}"

    def list_page(self, kind: ServiceKind) -> str:
        """Return the UI's page of all services of a kind."""
        return f"{self.ui_url}/{kind.list_page}"

    def release(self) -> Release:
        """Return the server's release, asked once. `GET /v1/system/version`, which answers without a token.

        :raises RequestError: as `Transport.send`.
        """
        with self._lock:
            if self._release is None:
                answer = self.send(ApiRequest("GET", "/v1/system/version", authenticated=False))
                version = answer.mapping().get("version")
                if not isinstance(version, str):
                    raise answer.unexpected("the server's version")
                self._release = Release(version)
            return self._release

    def identity(self) -> Identity:
        """Return the user that the token belongs to, asked once. `GET /v1/users/loggedInUser`.

        :raises AuthenticationError: when the token is refused.
        """
        with self._lock:
            if self._identity is None:
                answer = self.send(ApiRequest("GET", "/v1/users/loggedInUser"))
                body = answer.mapping()
                name = body.get("name")
                if not isinstance(name, str):
                    raise answer.unexpected("a user")
                self._identity = Identity(name, body.get("isBot") is True)
            return self._identity
