"""The Test button of the connection form: `CollateHook.test_connection`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest

from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.sandbox import ANA, INGESTION_BOT, Catalog, User, make_token
from tests.unit.conftest import Network


class TestTestConnection:
    def tried(self) -> tuple[bool, str]:
        return CollateHook().test_connection()

    def test_good(self, catalog: Catalog) -> None:
        version = catalog.state.release.version
        assert self.tried() == (True, f"Connected to Collate {version} as ingestion-bot (bot, token never expires)")
        assert [request.path.rpartition("/v1/")[2] for request in catalog.requests] == [
            "users/loggedInUser",
            "services/mlmodelServices",
            "system/version",
        ]
        assert catalog.requests[1].params["limit"] == "1"

    def test_the_first_failure_ends_it(self, catalog: Catalog, connect: Callable[..., None]) -> None:
        connect(extra={"max_retries": 5})
        catalog.fail(times=None, status=503)
        assert not CollateHook(request_retries=5).test_connection()[0]
        assert len(catalog.requests) == 1

    @pytest.mark.parametrize("timeout, longest", [(60, 10.0), (4, 4.0)])
    def test_it_waits_no_longer_than_somebody_before_a_form(
        self, timeout: int, longest: float, network: Network, connect: Callable[..., None]
    ) -> None:
        connect(extra={"timeout": timeout})
        given: list[float] = []

        def silence(request: httpx.Request) -> httpx.Response:
            given.append(request.extensions["timeout"]["read"])
            raise httpx.ReadTimeout("timed out", request=request)

        network.hosts["acme.getcollate.io"] = httpx.MockTransport(silence)
        assert "did not answer in time: timed out" in self.tried()[1]
        assert given == [pytest.approx(longest, abs=1.0)]
        assert given[0] <= longest

    def test_a_hook_in_use_retries_again_afterwards(self, catalog: Catalog) -> None:
        hook = CollateHook()
        before = hook.get_conn().config
        assert hook.test_connection()[0]
        assert hook.get_conn().config == before

    def test_a_person(self, catalog: Catalog, connect: Callable[..., None]) -> None:
        expires = datetime(2199, 1, 2, 3, 4, tzinfo=timezone.utc)
        token = make_token(ANA, expires_at=expires)
        catalog.tokens[token] = ANA
        connect(password=token)
        worked, message = self.tried()
        assert worked
        assert message.endswith("as ana (person, token expires on 2199-01-02 03:04 UTC)")

    def test_a_token_that_is_no_jwt(self, catalog: Catalog, connect: Callable[..., None]) -> None:
        robot = User("robot", is_bot=True)
        catalog.add_user(robot)
        catalog.tokens["opaque-token-0123"] = robot
        connect(password="opaque-token-0123")
        assert self.tried()[1].endswith("as robot (bot, token is not a JWT)")

    def test_expired(self, catalog: Catalog, connect: Callable[..., None]) -> None:
        connect(password=make_token(INGESTION_BOT, expires_at=datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc)))
        worked, message = self.tried()
        assert not worked
        assert "the token of ingestion-bot (bot) expired on 2026-01-02 03:04 UTC" in message
        assert "Settings > Bots > ingestion-bot" in message
        assert catalog.requests == []

    def test_a_sentence_is_on_one_line(self, catalog: Catalog, connect: Callable[..., None]) -> None:
        """The form's message shows no line breaks, and nobody there knows what a request id is for."""
        catalog.fail(status=403, body={"code": 403, "message": "No permission"})
        assert self.tried()[1].startswith("Collate answered 403: No permission. Give the token's user a role")
        connect(host="", password="")
        assert "\n" not in self.tried()[1]

    @pytest.mark.parametrize(
        "fault, said",
        [
            ({"status": 401, "body": {"code": 401, "message": "Token not valid"}}, "Collate answered 401: Token not"),
            ({"status": 404, "body": "<html><title>nginx</title>Not Found</html>"}, "Collate answered 404: "),
            ({"status": 200, "body": "<html><body>Welcome</body></html>"}, "Welcome"),
            ({"reset": True}, "Connection reset by peer"),
            ({"break_body": True}, "complete"),
        ],
    )
    def test_what_is_wrong_is_a_sentence(self, fault: dict[str, Any], said: str, catalog: Catalog) -> None:
        catalog.fail(times=None, **fault)
        worked, message = self.tried()
        assert not worked
        assert said in message
        assert "Traceback" not in message

    def test_an_unknown_connection(self, network: Network) -> None:
        assert CollateHook("no_such_connection").test_connection() == (
            False,
            (
                'there is no Airflow connection "no_such_connection". '
                "Add it under Admin > Connections, type Collate, or name another by collate_conn_id; one in the "
                "environment or a secrets backend is not found either if its JSON or URI is faulty."
            ),
        )

    def test_a_bug_is_named_by_its_kind_only(self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> httpx.Response:
            raise RuntimeError("hunter2hunter2")

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", broken)
        assert self.tried() == (False, "The connection could not be tried: RuntimeError")
