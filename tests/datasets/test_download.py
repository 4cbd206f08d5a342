"""Downloads from servers that fail in many ways: one sentence names the cause, and time and memory are limited."""

import gzip
import itertools
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tinygrad_mnist.datasets import download, mnist

Contents = dict[str, bytes]
Started = Callable[..., AbstractContextManager[str]]
Serve = Callable[[bytes], Iterator[bytes]]

ZEROS = bytes(1 << 20)
OK = b"HTTP/1.0 200 OK\r\n\r\n"


def status(number: int, headers: bytes = b"", body: bytes = b"") -> Serve:
    """Return a server that sends this status."""
    return lambda _: iter([b"HTTP/1.0 %d X\r\n%s\r\n%s" % (number, headers, body)])


def redirect(target: str) -> Serve:
    """Return a server that redirects, and never ends the page that says so."""
    head = f"HTTP/1.0 302 Found\r\nLocation: {target}\r\n\r\n".encode()
    return lambda _: itertools.chain([head], itertools.repeat(b"moved " * 10_000))


def sends(change: Callable[[bytes], bytes], headers: bytes = b"") -> Serve:
    """Return a server that sends the changed gzip file."""
    return lambda packed: iter([b"HTTP/1.0 200 OK\r\n" + headers + b"\r\n" + change(packed)])


def bomb(_: bytes) -> Iterator[bytes]:
    """Send 1 MB that unpacks to 1 GB."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield OK
    for _ in range(1000):
        yield pack.compress(ZEROS)
    yield pack.flush()


def endless(start: bytes, part: bytes, seconds: float = 0) -> Serve:
    """Return a server that repeats a part for ever, with a pause after each."""

    def serve(_: bytes) -> Iterator[bytes]:
        yield start
        while True:
            yield part
            time.sleep(seconds)

    return serve


def stalled(packed: bytes) -> Iterator[bytes]:
    """Send half of the file, and then nothing."""
    yield OK + packed[: len(packed) // 2]
    time.sleep(1)


def silent(_: bytes) -> Iterator[bytes]:
    time.sleep(1)
    yield b""


GZIP_START = bytes.fromhex("1f8b0800000000000003")
TOO_MUCH = r"sent more than the 47,056 bytes"
NOT_WEB = "which is not the address of a web server"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

WAYS: dict[str, tuple[Serve, str]] = {
    "status 404": (status(404), "answered with status 404"),
    "status 500": (status(500, body=b"<html>"), "answered with status 500"),
    "status 204": (status(204), "answered with status 204"),
    "status 206": (status(206, b"Content-Range: bytes 0-1/9\r\n", b"ab"), "answered with status 206"),
    "a redirect to nowhere": (status(302), "answered with status 302"),
    "an empty file": (status(200), "sent an empty file"),
    "a web page": (status(200, body=b"<!DOCTYPE html><html>Accept our terms.</html>"), "sent a web page"),
    "a different file": (sends(lambda _: gzip.compress(b"different")), "sent a file that is not MNIST's"),
    "one wrong bit": (sends(lambda p: gzip.compress(gzip.decompress(p)[:-1] + b"\xff")), "is not MNIST's"),
    "half a gzip file": (sends(lambda p: p[: len(p) // 2]), r"broken gzip file \(Compressed file ended before"),
    "a garbled gzip file": (sends(lambda p: p[:20] + b"\xff" * 20 + p[40:]), "sent a broken gzip file"),
    "less than announced": (sends(lambda p: p[:-9], b"Content-Length: 90000\r\n"), "broke off the download"),
    "a length that is no number": (sends(bytes, b"Content-Length: abc\r\n"), "an invalid Content-Length, 'abc'"),
    "a negative length": (sends(bytes, b"Content-Length: -5\r\n"), "sent an invalid Content-Length, '-5'"),
    "a bomb": (bomb, TOO_MUCH),
    "an endless file": (endless(OK, bytes(10_000)), TOO_MUCH),
    "an endless gzip file": (endless(OK + GZIP_START, b"\0\0\0\xff\xff" * 1000), TOO_MUCH),
    "endless chunks": (endless(CHUNKED, b"4\r\nabcd\r\n" * 1000), TOO_MUCH),
    "invalid chunks": (endless(CHUNKED, b"zzz\r\n"), "broke off the download"),
    "an endless header": (endless(b"HTTP/1.0 200 OK\r\nX: ", b"y" * 10_000), r"not valid HTTP \(got more than 65536"),
    "endless headers": (endless(b"HTTP/1.0 200 OK\r\n", b"X: y\r\n" * 100), r"not valid HTTP \(got more than 100"),
    "no HTTP": (lambda _: iter([b"220 Welcome to this mail server\r\n"]), "sent an answer that is not valid HTTP"),
    "no answer": (lambda _: iter([]), "closed the connection without an answer"),
    "silence": (silent, "did not answer in time"),
    "half a file, and then silence": (stalled, "stopped sending"),
    "one header byte at a time": (endless(b"HTTP/1.0 200 OK\r\nX: ", b"y", 0.05), "did not answer in time"),
    "a file byte after byte": (endless(OK, b"y", 0.05), "sent less than 5,000 bytes per second"),
    "a slow file": (endless(OK, bytes(1 << 12), 0.1), "needed more than 1 seconds for one file"),
    "a circle of redirects": (redirect("/again/train-images-idx3-ubyte.gz"), "redirected more than 10 times"),
    "a redirect to a file": (redirect("file:///etc/passwd"), f"redirected to 'file:///etc/passwd', {NOT_WEB}"),
    "a redirect to FTP": (redirect("ftp://example.org/x"), NOT_WEB),
    "a redirect to half a bracket": (redirect("http://[::1/"), rf"redirected to 'http://\[::1/', {NOT_WEB}"),
    "a redirect to dots": (redirect("http://..../"), NOT_WEB),
    "a redirect to a long name": (redirect(f"http://{'a' * 70}.com/"), NOT_WEB),
    "a redirect to a large port": (redirect("http://127.0.0.1:99999/"), NOT_WEB),
}
"""The ways in which a server can fail: what it sends, and the sentence about it."""


@pytest.mark.parametrize("way", WAYS)
def test_a_hostile_server_is_described_in_one_sentence(
    way: str, small_mnist: Contents, started: Started, failed: Callable[[str], str]
) -> None:
    serve, sentence = WAYS[way]
    with started(serve, gzip.compress(small_mnist[mnist.TRAINING[0]])) as mirror:
        begun = time.monotonic()
        assert re.search(sentence, failed(mirror))
        assert time.monotonic() - begun < 5


def test_a_redirect_to_the_file_is_followed_and_its_page_is_not_read(small_mnist: Contents, started: Started) -> None:
    packed = gzip.compress(small_mnist[mnist.TRAINING[0]])
    with started(sends(bytes), packed) as good, started(redirect(f"{good}file")) as mirror:
        assert download.download(mirror, 47056, "file") == small_mnist[mnist.TRAINING[0]]


@pytest.mark.parametrize("address", ["http://[::1/", "http://a..b/", f"http://{'a' * 64}.com/", "http://x:y/", "x"])
def test_an_invalid_address_is_not_one_of_a_web_server(address: str) -> None:
    assert not download.is_web_address(address)


def test_an_interrupt_ends_a_download_at_once(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(download.futures, "wait", interrupt)
    with started(silent) as mirror, pytest.raises(KeyboardInterrupt):
        download.download(mirror, 10, "file")
