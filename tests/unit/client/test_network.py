"""The way to the server, over real sockets: deadlines, proxies, certificates, the pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_collate.client.client import CollateClient
from airflow_provider_collate.client.config import ClientConfig
from airflow_provider_collate.client.messages import ApiRequest
from airflow_provider_collate.client.network import MAX_CONNECTIONS, name_of_server, proxy_url
from airflow_provider_collate.exceptions import InvalidConnectionError, NoAnswerError, RedirectError
from airflow_provider_collate.sandbox.exchange import Answer, Request
from tests.faults.behaviours import answers, drips_body, drips_headers, never_answers
from tests.faults.certificates import Authority, server_tls
from tests.faults.server import Accepting, Behaviour, Exchange, FaultServer

GET = ApiRequest("GET", "/v1/a")
TIMEOUT = 0.3
# What a loaded machine may add; far less than what these servers would take if nothing stopped them.
SLACK = 10.0
PROXY_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def ok(request: Request) -> Answer:
    return Answer(200, b'{"a": "' + b"x" * 200 + b'"}', {"Content-Type": "application/json"})


def transport_to(url: str, *, timeout: float = 20.0, proxy: str | None = None) -> CollateClient:
    config = ClientConfig(f"{url}/api", timeout=timeout, max_retries=0, proxy=proxy)
    return CollateClient(config, lambda: "a-token")


def seconds_until_it_fails(transport: CollateClient, request: ApiRequest = GET) -> tuple[float, NoAnswerError]:
    began = time.monotonic()
    with pytest.raises(NoAnswerError) as caught:
        transport.send(request)
    return time.monotonic() - began, caught.value


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    "behaviour",
    [never_answers, drips_headers(0.05), drips_body(0.05)],
    ids=["never answers", "drips its headers", "drips its body"],
)
def test_an_attempt_ends_at_its_timeout_however_busy_the_server_looks(behaviour: Behaviour) -> None:
    with FaultServer([behaviour], handle=ok) as server:
        url = server.url
        seconds, error = seconds_until_it_fails(transport_to(url, timeout=TIMEOUT))

    assert TIMEOUT * 0.9 <= seconds < SLACK
    assert error.message.startswith(f"{url} did not answer in time: ")
    assert error.retryable


def test_a_server_that_does_not_read_ends_too() -> None:
    """The request is larger than all buffers on the way."""
    with FaultServer(accepting=lambda number: Accepting.HOLD) as server:
        request = ApiRequest("POST", "/v1/a", body="x" * 30_000_000)
        seconds, error = seconds_until_it_fails(transport_to(server.url, timeout=TIMEOUT), request)

    assert seconds < SLACK
    assert error.maybe_applied


def test_the_deadline_is_each_attempt_s_own() -> None:
    def half_of_it(exchange: Exchange) -> None:
        exchange.wait(0.6)
        exchange.answer(exchange.truth())

    with FaultServer([half_of_it] * 3, handle=ok) as server:
        transport = transport_to(server.url, timeout=1.5)
        assert [transport.send(GET).status for _ in range(3)] == [200] * 3


def test_threads_have_deadlines_of_their_own() -> None:
    def slow(exchange: Exchange) -> None:
        exchange.wait_for_hangup()

    def choose(received: object) -> Behaviour | None:
        return slow if getattr(received, "target", "").endswith("slow") else None

    with FaultServer(choose, handle=ok) as server:
        transport = transport_to(server.url, timeout=1.0)
        slow_one = threading.Thread(target=seconds_until_it_fails, args=(transport, ApiRequest("GET", "/v1/slow")))
        slow_one.start()
        while slow_one.is_alive():
            assert transport.send(GET).status == 200
        slow_one.join(SLACK)

    assert server.count("GET", "/api/v1/slow") == 1


def test_the_pool_is_bounded_and_reused() -> None:
    held = threading.Semaphore(0)

    def wait(exchange: Exchange) -> None:
        held.acquire(timeout=SLACK)
        exchange.answer(exchange.truth())

    with FaultServer(lambda received: wait, handle=ok) as server:
        transport = transport_to(server.url)
        threads = [threading.Thread(target=transport.send, args=(GET,)) for _ in range(MAX_CONNECTIONS + 20)]
        for thread in threads:
            thread.start()
        held.release(len(threads))
        for thread in threads:
            thread.join(20)

    assert server.count() == len(threads)
    assert server.connections <= MAX_CONNECTIONS


def test_netrc_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ana password hunter2hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with FaultServer(handle=ok) as server:
        transport_to(server.url).send(GET)
        transport_to(server.url).send(ApiRequest("GET", "/v1/b", authenticated=False))

    assert [one.headers.get("authorization") for one in server.received] == ["Bearer a-token", None]


def test_nothing_of_a_redirect_reaches_another_origin() -> None:
    with (
        FaultServer(handle=ok) as other,
        FaultServer(lambda _: answers(307, headers={"Location": other.url})) as server,
    ):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(RedirectError) as caught:
                transport_to(server.url).send(ApiRequest(method, "/v1/a"))
            assert (caught.value.retryable, caught.value.maybe_applied) == (False, False)

    assert (server.count(), other.connections, bytes(other.captured)) == (5, 0, b"")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, name: str, scheme: str) -> None:
    with FaultServer(handle=ok) as proxy:
        monkeypatch.setenv(name, proxy.url.replace("http://", scheme))
        transport_to("http://collate.acme.example").send(GET)

    assert [(one.method, one.target) for one in proxy.received] == [("GET", "http://collate.acme.example/api/v1/a")]


def test_the_connection_s_proxy_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with FaultServer(handle=ok) as proxy:
        transport_to("http://collate.acme.example", proxy=proxy.url.replace("://", "://ana:pw@")).send(GET)

    assert proxy.received[0].headers["proxy-authorization"] == "Basic YW5hOnB3"


def test_a_tls_server_behind_a_proxy_gets_the_token_and_the_proxy_does_not() -> None:
    with FaultServer(lambda received: answers(407)) as proxy:
        url = proxy.url
        _, error = seconds_until_it_fails(transport_to("https://collate.acme.example", proxy=url))

    assert error.message == (
        f"The connection to https://collate.acme.example (by the proxy {url}) was refused: "
        "407 Proxy Authentication Required"
    )
    assert (error.retryable, error.maybe_applied) == (False, False)
    assert b"a-token" not in proxy.captured


@pytest.mark.parametrize(
    "no_proxy_is, url, proxied",
    [
        ("", "https://collate.acme.example", True),
        ("collate.acme.example", "https://collate.acme.example", False),
        (".acme.example,other", "https://collate.acme.example", False),
        ("acme.example", "https://collate.acme.example", False),
        ("collate.acme.example:8585", "https://collate.acme.example:8585", False),
        ("collate.acme.example:8585", "https://collate.acme.example:8586", True),
        ("*", "https://collate.acme.example", False),
        ("other.example", "https://collate.acme.example", True),
    ],
)
def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch, no_proxy_is: str, url: str, proxied: bool) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.acme.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy_is)

    assert (proxy_url(ClientConfig(f"{url}/api")) is not None) is proxied


def test_a_plain_http_server_does_not_take_the_proxy_for_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.acme.example:3128")

    assert proxy_url(ClientConfig("http://collate.acme.example/api")) is None


def test_the_server_is_named_without_the_proxy_s_password() -> None:
    config = ClientConfig("https://acme.example:8585/api")

    assert name_of_server(config, None) == "https://acme.example:8585"
    assert name_of_server(config, "http://ana:hunter2@proxy.example:3128/x") == (
        "https://acme.example:8585 (by the proxy http://proxy.example:3128)"
    )
    assert name_of_server(config, "http://x:port") == "https://acme.example:8585 (by a proxy)"


def test_an_authority_that_is_named_is_trusted_instead_of_all_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    monkeypatch.setenv("SSL_CERT_FILE", str(theirs.cert_file))
    for authority, is_trusted in ((ours, True), (theirs, False)):
        with FaultServer(handle=ok, tls=server_tls(authority.issue())) as server:
            config = ClientConfig(f"{server.url}/api", verify=str(ours.cert_file), max_retries=0)
            transport = CollateClient(config, lambda: "a-token")
            if is_trusted:
                assert transport.send(GET).mapping()
            else:
                with pytest.raises(NoAnswerError, match="was not accepted"):
                    transport.send(GET)


def problems_of(make: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(InvalidConnectionError) as caught:
        make()
    return caught.value.problems


@pytest.mark.parametrize("proxy", ["ftp://proxy.example", "socks5://proxy.example", "http://x:port", "://"])
def test_a_proxy_that_cannot_be_used_is_named_by_where_it_stands(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    rest = "is not a proxy URL that can be used, such as http://proxy.acme.example:3128"

    assert problems_of(lambda: transport_to("https://acme.example", proxy=proxy)) == (f"extra.proxy: {rest}",)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert problems_of(lambda: transport_to("https://acme.example")) == (
        f"the environment's proxy (HTTP_PROXY, HTTPS_PROXY or ALL_PROXY): {rest}",
    )


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_named_by_field(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "cert.pem"
    if content is not None:
        path.write_text(content)

    def transport(**given: object) -> CollateClient:
        config = ClientConfig("https://acme.example/api", **given)  # type: ignore[arg-type]
        return CollateClient(config, lambda: "")

    assert problems_of(lambda: transport(verify=str(path))) == ("extra.verify: cannot be read",)
    assert problems_of(lambda: transport(verify="x" * 5_000)) == ("extra.verify: cannot be read",)
    assert problems_of(lambda: transport(client_cert=str(path))) == ("extra.client_cert: cannot be read",)
    assert problems_of(lambda: transport(client_cert=(str(path), str(path)))) == ("extra.client_cert: cannot be read",)
    transport(verify=str(tmp_path)).close()
    transport(verify=False).close()
    if content is None:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        problem = "the environment's SSL_CERT_FILE or SSL_CERT_DIR: cannot be read"
        assert problems_of(transport) == (problem,)
