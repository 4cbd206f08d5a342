"""A small data set in files with MNIST's four names, and local mirrors that serve it correctly or incorrectly."""

import gzip
import hashlib
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import download, folders, idx, mnist, stroke_cache

Serve = Callable[[bytes], Iterator[bytes]]
"""Yields the parts of an answer, given the gzip file that was requested."""

MEMORY = 4 << 20
"""The most bytes that a failed download of the first file, which has 47 kB, may take."""


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The contents of the four files by name: 60 training and 30 test digits, which count as the official MNIST."""
    rng = np.random.default_rng(0)
    contents = {}
    for (images, labels), count in ((mnist.TRAINING, 60), (mnist.TEST, 30)):
        arrays = {
            images: rng.integers(0, 256, (count, 28, 28), dtype=np.uint8),
            labels: np.arange(count, dtype=np.uint8) % 10,
        }
        for name, array in arrays.items():
            contents[name] = idx.header(array) + array.tobytes()
            monkeypatch.setitem(mnist.SHAPES, name, array.shape)
            monkeypatch.setitem(mnist.SHA256, name, hashlib.sha256(contents[name]).hexdigest())
    return contents


class Mirror(BaseHTTPRequestHandler):
    """Answers a request for /KIND/NAME.gz with the file NAME, correctly or with the fault that KIND names."""

    contents: dict[str, bytes]

    def do_GET(self) -> None:
        kind, name = self.path.strip("/").split("/")
        content = self.contents[name.removesuffix(".gz")]
        packed = gzip.compress(content)
        match kind:
            case "good":
                self.answer(packed)
            case "plain":
                self.answer(content)
            case "unsized":
                self.answer(packed, claimed=None)
            case "missing":
                self.send_error(404)
            case "failing":
                self.send_error(500)
            case "truncated":
                self.answer(packed[: len(packed) // 2], len(packed))
            case "half":
                self.answer(packed[: len(packed) // 2])
            case "wrong":
                self.answer(gzip.compress(content[:-1] + b"\0"))
            case "page":
                self.answer(b"<html>Please accept our terms.</html>")
            case "garbled":
                self.answer(packed[:20] + b"\xff" * 20 + packed[40:])
            case "silent":
                time.sleep(1)

    def answer(self, body: bytes, claimed: int | None = 0) -> None:
        """Send a body, and claim this length for it. 0 claims its true length, and None claims no length."""
        self.send_response(200)
        if claimed is not None:
            self.send_header("Content-Length", str(claimed or len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # a test may have killed the client
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(small_mnist: dict[str, bytes]) -> Iterator[str]:
    """The address of a server. Append a kind to choose how it answers, as in `mirror + "truncated/"`."""
    handler = type("SmallMirror", (Mirror,), {"contents": small_mnist})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Server(BaseHTTPRequestHandler):
    """Sends what `serve` yields, and then closes the connection."""

    serve: Callable[[bytes], Iterator[bytes]]
    packed: bytes

    def do_GET(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            for part in type(self).serve(self.packed):
                self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _started(serve: Serve, packed: bytes = b"", secured: ssl.SSLContext | None = None) -> Iterator[str]:
    """Start a server, and yield its address."""
    handler = type("OneServer", (Server,), {"serve": staticmethod(serve), "packed": packed, "timeout": 2})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if secured:
            server.socket = secured.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"{'https' if secured else 'http'}://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def started() -> Callable[..., AbstractContextManager[str]]:
    """Return a function that starts a server, and whose result is a context with its address."""
    return _started


@pytest.fixture
def short_limits(small_mnist: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder with short timeouts, without a proxy, and with few drawn digits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folders, "is_checkout", lambda: True)
    for name, value in {"TIMEOUT": (0.3, 0.3), "DEADLINE": 1.0, "CHECK_SECONDS": 0.6}.items():
        monkeypatch.setattr(download, name, value)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", folders.VARIABLE):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(stroke_cache, "TRAINING", 4)
    monkeypatch.setattr(stroke_cache, "TEST", 1)


@pytest.fixture
def failed(
    short_limits: None, monkeypatch: pytest.MonkeyPatch, one_sentence: Callable[[object], None]
) -> Callable[[str], str]:
    """Return a function that trains on `auto` with a mirror that fails, checks that it is harmless, and returns why."""

    def check(mirror: str) -> str:
        monkeypatch.setattr(mnist, "MIRRORS", (mirror,))
        notices: list[str] = []
        datasets.load("strokes", (3, 7))  # does the slow imports
        tracemalloc.start()
        try:
            assert datasets.load("auto", (3, 7), notices.append).name == "strokes"
            assert tracemalloc.get_traced_memory()[1] < MEMORY
        finally:
            tracemalloc.stop()
        assert len(notices) == 1
        one_sentence(notices[0])
        assert f"because MNIST cannot be downloaded ({mirror} " in notices[0]
        assert not Path("data/mnist").exists()
        return notices[0]

    return check
