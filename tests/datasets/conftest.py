"""A small data set in files with MNIST's four names, and local mirrors that serve it correctly or incorrectly."""

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

from tinygrad_mnist.datasets import idx, mnist


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
