"""A small data set in files with MNIST's four names, a local mirror of it, and a listener to what is told."""

import gzip
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist.datasets import folders, idx, mnist, strokes
from tinygrad_mnist.datasets.progress import Progress


class Listener(Progress):
    """Remembers the sentences that it is told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture
def listener() -> Listener:
    """Return a progress that remembers its sentences."""
    return Listener()


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder as in a checkout, without mirrors, and with few drawn digits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folders, "is_checkout", lambda: True)
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    monkeypatch.setattr(mnist, "MIRRORS", ())
    monkeypatch.setattr(strokes, "TRAINING", 20)
    monkeypatch.setattr(strokes, "TEST", 5)


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
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
            packed = gzip.compress(contents[name], mtime=0)
            monkeypatch.setitem(mnist.SHA256, name, hashlib.sha256(contents[name]).hexdigest())
            monkeypatch.setitem(mnist.PACKED_SHA256, name, hashlib.sha256(packed).hexdigest())
    return contents


class Mirror(BaseHTTPRequestHandler):
    """Answers a request for /KIND/NAME.gz with the file NAME, correctly or with the fault that KIND names."""

    contents: dict[str, bytes]

    def do_GET(self) -> None:
        kind, name = self.path.strip("/").split("/")
        packed = gzip.compress(self.contents[name.removesuffix(".gz")], mtime=0)
        match kind:
            case "good":
                self.answer(packed)
            case "missing":
                self.send_error(404)
            case "truncated":
                self.answer(packed[:-9], {"Content-Length": str(len(packed))})
            case "wrong":
                self.answer(packed[:-1] + b"\1")
            case "page":
                self.answer(b"<html>Please accept our terms.</html>")
            case "length":
                self.answer(packed, {"Content-Length": "abc"})
            case "elsewhere":
                self.answer(b"", {"Location": "http://[::1/"}, 302)
            case "mail":
                self.wfile.write(b"220 Welcome to this mail server\r\n")
            case "silent":
                time.sleep(1)

    def answer(self, body: bytes, headers: dict[str, str] | None = None, status: int = 200) -> None:
        """Send a body with these headers."""
        self.send_response(status)
        for name, value in (headers or {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(small_mnist: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server, without a proxy. Append a kind to choose how it answers, as in `mirror + "page/"`."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(mnist, "TIMEOUT", 0.3)
    handler = type("SmallMirror", (Mirror,), {"contents": small_mnist})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
