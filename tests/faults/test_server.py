"""The fault server does what it is told: checked with plain sockets and with httpx."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from airflow_provider_collate.sandbox.exchange import Answer, Ending, Request
from tests.faults.behaviours import (
    answers,
    closes,
    closes_after_headers,
    closes_in_the_body,
    commits_then_closes,
    commits_then_resets,
    drips_headers,
    long_body,
    never_answers,
    redirects,
    resets,
)
from tests.faults.certificates import Authority, server_tls
from tests.faults.server import Accepting, Behaviour, FaultServer

HELLO = Answer(200, b'{"hello": "world"}', {"Content-Type": "application/json"})


class Counted:
    """A handler that counts what took effect."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        return HELLO


def raw_answer(server: FaultServer, request: bytes = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n") -> bytes:
    """What comes back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(request)
        received = b""
        while data := client.recv(65536):
            received += data
        return received


def fault_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("fault-server")]


def test_without_a_script_the_truth_is_sent_on_a_connection_that_stays_open() -> None:
    with FaultServer(handle=Counted()) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        first = client.post("/a?b=c", json={"d": "é"}, headers={"X-Test": "yes"})
        second = client.get("/e", headers={"Connection": "close"})
        third = client.get("/f")

    assert [answer.json() for answer in (first, second, third)] == [{"hello": "world"}] * 3
    assert [(one.connection, one.number, one.method, one.target) for one in server.received] == [
        (0, 0, "POST", "/a?b=c"),
        (0, 1, "GET", "/e"),
        (1, 2, "GET", "/f"),
    ]
    assert server.received[0].headers["x-test"] == "yes"
    assert len(server.received[0].request.content) == len('{"d":"é"}'.encode())
    assert json.loads(server.received[0].request.content) == {"d": "é"}
    assert server.connections == 2
    assert (server.count(), server.count("GET"), server.count("GET", "/f")) == (3, 2, 1)


def test_a_script_is_followed_in_order_and_then_the_truth() -> None:
    script: list[Behaviour | None] = [answers(503, headers={"Retry-After": "7"}), None, answers(418)]
    with FaultServer(script, handle=Counted()) as server:
        answered = [httpx.get(server.url, trust_env=False) for _ in range(4)]

    assert [answer.status_code for answer in answered] == [503, 200, 418, 200]
    assert answered[0].headers["Retry-After"] == "7"


def test_a_script_may_be_a_function_of_the_request() -> None:
    handle = Counted()
    with FaultServer(lambda one: closes if one.target == "/a" else None, handle=handle) as server:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            httpx.get(f"{server.url}/a", trust_env=False)
        assert httpx.get(f"{server.url}/b", trust_env=False).status_code == 200

    assert [request.target for request in handle.requests] == ["/b"]


@pytest.mark.parametrize(
    "behaviour, sent, commits",
    [
        (closes, b"", 0),
        (commits_then_closes, b"", 1),
        (closes_after_headers, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n", 1),
        (
            closes_in_the_body,
            b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{"hello":',
            1,
        ),
        (
            drips_headers(0.0),
            b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{"hello": "world"}',
            1,
        ),
        (answers(599, b"odd", {}), b"HTTP/1.1 599 Unknown\r\nContent-Length: 3\r\n\r\nodd", 0),
    ],
)
def test_what_is_sent_and_whether_the_request_took_effect(behaviour: Behaviour, sent: bytes, commits: int) -> None:
    handle = Counted()
    with FaultServer([behaviour], handle=handle) as server:
        received = raw_answer(server, b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")

    assert received == sent
    assert len(handle.requests) == commits


@pytest.mark.parametrize("behaviour, commits", [(resets, 0), (commits_then_resets, 1)])
def test_resets(behaviour: Behaviour, commits: int) -> None:
    handle = Counted()
    with FaultServer([behaviour], handle=handle) as server, pytest.raises(ConnectionResetError):
        raw_answer(server)

    assert len(handle.requests) == commits


@pytest.mark.parametrize(
    "ending, sent", [(Ending.CUT, b'{"hello":'), (Ending.WHOLE, b'{"hello": "world"}'), (Ending.LOST, b"")]
)
def test_the_endings_of_the_handlers_answer_are_honoured(ending: Ending, sent: bytes) -> None:
    answer = Answer(200, HELLO.body, ending=ending)
    with FaultServer(handle=lambda request: answer) as server:
        received = raw_answer(server, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")

    assert received.partition(b"\r\n\r\n")[2] == sent


def test_what_may_happen_to_a_connection_before_anything_is_read() -> None:
    ways = [Accepting.CLOSE, Accepting.RESET, Accepting.HOLD, Accepting.SERVE]
    with FaultServer(handle=Counted(), accepting=lambda number: ways[number]) as server:
        for error in (httpx.TransportError, httpx.TransportError, httpx.ReadTimeout):
            with pytest.raises(error):
                httpx.get(server.url, timeout=0.2, trust_env=False)
        assert httpx.get(server.url, trust_env=False).status_code == 200

    assert server.connections == 4
    assert [one.connection for one in server.received] == [3]


def test_a_redirect_and_where_a_token_went() -> None:
    with FaultServer(handle=Counted()) as other, FaultServer([redirects(other.url, 302)]) as server:
        headers = {"Authorization": "Bearer canary", "X-Kept": "kept"}
        httpx.get(server.url, headers=headers, follow_redirects=True, trust_env=False)

    assert server.received[0].headers["authorization"] == "Bearer canary"
    assert b"canary" in server.captured
    assert "authorization" not in other.received[0].headers
    assert b"canary" not in other.captured
    assert b"kept" in other.captured


def test_a_client_certificate_is_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    trusting = ssl.create_default_context(cafile=str(authority.cert_file))
    tls = server_tls(authority.issue(), clients_of=authority)
    with FaultServer(handle=Counted(), tls=tls) as server:
        with pytest.raises(httpx.TransportError):
            httpx.get(server.url, verify=trusting, trust_env=False)
        assert server.received == []

        ana = authority.issue("ana.acme.example")
        trusting.load_cert_chain(ana.cert_file, ana.key_file)
        assert httpx.get(server.url, verify=trusting, trust_env=False).status_code == 200


def _until(happened: Callable[[], bool]) -> None:
    """Wait for the server's thread: the script gives its behaviours in the order in which requests arrive."""
    for _ in range(1000):
        if happened():
            return
        time.sleep(0.005)
    raise AssertionError("it did not happen in 5 seconds")


@pytest.mark.parametrize("tls", [False, True])
def test_stopping_hangs_up_on_everyone_and_leaves_no_thread(tmp_path: Path, tls: bool) -> None:
    authority = Authority(tmp_path)
    trusting = ssl.create_default_context(cafile=str(authority.cert_file))
    server = FaultServer(
        [never_answers, drips_headers(60.0), long_body(10**12)],
        handle=Counted(),
        accepting=lambda number: Accepting.HOLD if number == 0 else Accepting.SERVE,
        tls=server_tls(authority.issue()) if tls else None,
    )
    with server:
        clients = [socket.create_connection(("127.0.0.1", server.port), timeout=5)]
        for silent in (True, False, False):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=5)
            if tls:
                client = trusting.wrap_socket(client, server_hostname="127.0.0.1")
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            clients.append(client)
            if silent:
                _until(lambda: len(server.received) == 1)
            else:
                assert client.recv(1) == b"H"
        assert len(fault_threads()) == 5

    assert fault_threads() == []
    server.stop()
    for client in clients:
        client.close()
