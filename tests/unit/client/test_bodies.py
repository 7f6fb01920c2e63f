"""Bodies are bounded, unpacked piece by piece, and taken as JSON only when they are."""

from __future__ import annotations

import contextlib
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_collate.client.transport import (
    BodyEncodingError,
    BodyTooLargeError,
    NotJsonError,
    parse_json,
    read_body,
)


def answer_of(*chunks: bytes, encoding: str = "") -> httpx.Response:
    def stream() -> Iterator[bytes]:
        yield from chunks

    return httpx.Response(200, headers={"Content-Encoding": encoding} if encoding else {}, content=stream())


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_plain_body_is_read_whole(encoding: str) -> None:
    assert read_body(answer_of(b"ab", b"", b"c", encoding=encoding), limit=3) == b"abc"


def test_a_body_over_the_limit_is_not_read_further() -> None:
    read: list[bytes] = []

    def endless() -> Iterator[bytes]:
        while True:
            read.append(b"x" * 10)
            yield read[-1]

    with pytest.raises(BodyTooLargeError):
        read_body(httpx.Response(200, content=endless()), limit=25)

    assert len(read) == 3


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_gzip_is_unpacked_however_it_is_cut(size: int) -> None:
    packed = gzip.compress(b"hello " * 1000)
    chunks = [packed[start : start + size] for start in range(0, len(packed), size)]

    assert read_body(answer_of(*chunks, encoding="gzip"), limit=6000) == b"hello " * 1000
    with pytest.raises(BodyTooLargeError):
        read_body(answer_of(*chunks, encoding="GZIP"), limit=5999)


def test_a_gzip_bomb_stays_small() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(BodyTooLargeError):
        read_body(answer_of(bomb, encoding="gzip"), limit=1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 5_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"",
        gzip.compress(b"hello", mtime=0)[:-1],
        gzip.compress(b"hello", mtime=0)[:5],
        b"\x1f\x8b" + b"\xff" * 40,
        gzip.compress(b"hello", mtime=0) + b"garbage",
        zlib.compress(b"hello"),
    ],
)
def test_broken_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(BodyEncodingError):
        read_body(answer_of(body, encoding="gzip"))


def test_what_follows_the_end_of_gzip_is_not_collected() -> None:
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        yield gzip.compress(b"{}")
        while True:
            taken.append(1)
            yield b"x" * 1000

    with pytest.raises(BodyEncodingError):
        read_body(httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=endless()))

    assert len(taken) == 1


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd", "x"])
def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(BodyEncodingError):
        read_body(answer_of(b"abc", encoding=encoding))


@pytest.mark.parametrize(
    "body, what, cut_off",
    [
        (b"<html>", "", False),
        (b"", "", False),
        (b'{"a": 1', "", True),
        (b' [{"a"', "", True),
        (b'{"a": NaN}', "NaN in it, which is not JSON", False),
        (b"[-Infinity]", "-Infinity in it, which is not JSON", False),
        (b"1e999", "JSON with a number too large to be one", False),
        (b"9" * 5000, "JSON with a number too long to be one", False),
        (b"[" * 100_000, "JSON that is nested too deeply", False),
        (b'"\xff\xfe\x00"', "text that is not UTF-8", False),
    ],
)
def test_what_is_not_json_says_what_it_is(body: bytes, what: str, cut_off: bool) -> None:
    with pytest.raises(NotJsonError) as caught:
        parse_json(body)

    assert (caught.value.what, caught.value.cut_off) == (what, cut_off)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec="utf-8")),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    )
)
def test_json_comes_back(document: object) -> None:
    assert parse_json(json.dumps(document).encode()) == document


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    with contextlib.suppress(NotJsonError):
        parse_json(body)


@given(st.binary(max_size=300), st.integers(1, 60), st.integers(0, 200))
def test_any_bytes_are_gzip_or_refused(body: bytes, size: int, limit: int) -> None:
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    try:
        read = read_body(answer_of(*chunks, encoding="gzip"), limit)
    except (BodyEncodingError, BodyTooLargeError):
        return
    assert len(read) <= limit
