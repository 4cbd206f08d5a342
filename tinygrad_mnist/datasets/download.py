"""Downloads one file from a server that is not trusted: it may be broken, slow, or send endless data.

The packed and the unpacked size, the time and the speed are limited, and nothing is written to disk. Import this module
only when it is needed, because requests is slow to import.
"""

import contextlib
import gzip
import http
import http.client
import io
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent import futures
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from tinygrad_mnist.datasets.idx import GZIP_MAGIC

TIMEOUT = (3.05, 10)
"""Seconds to wait for a connection, and for each part of a response."""

DEADLINE = 300.0
"""Seconds that a download may take in total."""

CHECK_SECONDS = 20.0
"""How often to check that a download is not too slow, in seconds."""

MIN_SPEED = 5_000
"""The lowest speed between two checks, in bytes per second."""

MAX_REDIRECTS = 10
CHUNK = 1 << 14

MAX_SHOWN = 100
"""The number of characters of a server's text that an error message shows."""

HEADERS = {"Accept-Encoding": "identity"}
"""The files are packed already, so the server must not pack them again."""


class MirrorError(Exception):
    """What went wrong with a mirror, as the rest of a sentence that starts with the mirror's address."""


def is_web_address(address: str) -> bool:
    """Return whether this is the address of a web server: a valid one that starts with http:// or https://."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # which raises ValueError if it is not a number up to 65535
        host = (parts.hostname or "").encode("idna")
        requests.Request("GET", address).prepare()
    except (ValueError, requests.RequestException, urllib3.exceptions.HTTPError):  # UnicodeError is a ValueError
        return False
    return parts.scheme in ("http", "https") and bool(host)


def download(address: str, size: int) -> bytes:
    """Return the content at an address, unpacked if it is gzipped. `size` is the number of bytes that are expected.

    No more than size + 1 bytes are unpacked. Raises MirrorError if the server cannot be reached, or its response is
    broken, too large, too slow, or not a file.
    """
    transfer = _Transfer(size, None)
    result: futures.Future[bytes] = futures.Future()

    def work() -> None:
        try:
            result.set_result(transfer.receive(address))
        except BaseException as error:  # which result.result() raises again, below
            result.set_exception(error)

    # A thread can be left behind, even if it waits for a header that a server sends one byte at a time. It ends with
    # the connection, or with the program.
    threading.Thread(target=work, daemon=True).start()
    try:
        _wait(result, transfer)
        return result.result()
    finally:
        transfer.is_abandoned = True
        transfer.close_bar()


def _wait(result: futures.Future[bytes], transfer: "_Transfer") -> None:
    """Wait for the result. Raises MirrorError if the download is too slow."""
    deadline, before = time.monotonic() + DEADLINE, 0
    while True:
        left = deadline - time.monotonic()
        if futures.wait([result], min(left, CHECK_SECONDS)).done:
            return
        if left <= CHECK_SECONDS:
            raise MirrorError(f"needed more than {DEADLINE:g} seconds for one file")
        if transfer.received - before < MIN_SPEED * CHECK_SECONDS:
            slow = f"sent less than {MIN_SPEED:,} bytes per second"
            raise MirrorError(slow if transfer.has_answered else "did not answer in time")
        before = transfer.received


class _Session(requests.Session):
    """A session that leaves redirects to its caller, because requests reads all that a redirect contains."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the signature is that of requests
        """Return None, as for a response that is not a redirect."""
        return


class _Transfer(io.RawIOBase):
    """The packed bytes of a response, as a file that counts them and has a limited size."""

    def __init__(self, size: int, bar: Any) -> None:
        super().__init__()
        self.received = 0
        self.is_abandoned = False
        self._size, self._bar = size, bar
        # Bytes that cannot be compressed grow by less than a thousandth in gzip, and its header is short.
        self._limit = size + size // 1000 + 1000
        self._response: Any = None

    @property
    def has_answered(self) -> bool:
        """Whether the headers of the response have arrived."""
        return self._response is not None

    def receive(self, address: str) -> bytes:
        """Return the unpacked content at an address. Raises MirrorError if something is wrong."""
        with self._errors(), _Session() as session:
            for _ in range(MAX_REDIRECTS + 1):
                with session.get(
                    address, headers=HEADERS, timeout=TIMEOUT, stream=True, allow_redirects=False
                ) as response:
                    if not response.is_redirect:
                        return self._content(response)
                    address = _redirect_target(address, response.headers["Location"])
        raise MirrorError(f"redirected more than {MAX_REDIRECTS} times")

    def _content(self, response: requests.Response) -> bytes:
        if response.status_code != http.HTTPStatus.OK:
            raise MirrorError(f"answered with status {response.status_code}")
        length = response.headers.get("Content-Length", "0").strip()
        if not re.fullmatch("[0-9]{1,19}", length):
            raise MirrorError(f"sent an invalid Content-Length, {length[:MAX_SHOWN]!r}")
        if self._bar is not None and not self.is_abandoned:
            self._bar.start(int(length))
        self._response = response.raw
        file = io.BufferedReader(self, CHUNK)
        start = file.peek(2)
        if not start:
            raise MirrorError("sent an empty file")
        if start.lstrip()[:1] == b"<":
            raise MirrorError("sent a web page instead of a file")
        content = (gzip.GzipFile(fileobj=file) if start.startswith(GZIP_MAGIC) else file).read(self._size + 1)
        if len(content) > self._size:
            raise MirrorError(f"sent more than the {self._size:,} bytes that were expected")
        return content

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read packed bytes into the buffer and return their number."""
        if self.is_abandoned:
            raise MirrorError("was not read to its end")
        part: bytes = self._response.read(len(buffer), decode_content=False)
        self.received += len(part)
        if self.received > self._limit:
            raise MirrorError(f"sent more than the {self._size:,} bytes that were expected")
        if self._bar is not None and not self.is_abandoned:
            self._bar.update(len(part))
        buffer[: len(part)] = part
        return len(part)

    def close_bar(self) -> None:
        """Close the progress bar, if there is one."""
        if self._bar is not None:
            self._bar.close()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the errors of requests, of the libraries that it uses, and of gzip into MirrorError with its cause."""
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise MirrorError(f"sent a broken gzip file ({_first_sentence(error)})") from error
        except requests.exceptions.ProxyError as error:
            raise MirrorError(f"cannot be reached through the proxy ({_first_sentence(_root(error))})") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            stalled = self.received and isinstance(_root(error), TimeoutError)
            raise MirrorError("stopped sending" if stalled else _description(_root(error))) from error
        except ValueError as error:  # UnicodeError, too: from a name in the address, or in the settings of a proxy
            raise MirrorError(f"was not contacted ({_first_sentence(error)})") from error


def _redirect_target(address: str, location: str) -> str:
    """Return the address that a redirect names. Raises MirrorError if it is not the address of a web server."""
    try:
        target = urljoin(address, location)
    except ValueError:
        target = location
    if not is_web_address(target):
        raise MirrorError(f"redirected to {target[:MAX_SHOWN]!r}, which is not the address of a web server")
    return target


def _description(root: BaseException) -> str:
    """Return what went wrong with a mirror, given the error that caused the others."""
    match root:
        case ssl.SSLCertVerificationError():
            return f"has a certificate that is not trusted ({_first_sentence(root.verify_message)})"
        case ssl.SSLError():
            return f"does not make a secure connection ({_first_sentence(root.reason or root)})"
        case TimeoutError():
            return "did not answer in time"
        case http.client.RemoteDisconnected():
            return "closed the connection without an answer"
        case ConnectionResetError() | BrokenPipeError():
            return "broke the connection"
        case http.client.IncompleteRead():
            return "broke off the download"
        case http.client.HTTPException() | urllib3.exceptions.InvalidHeader() | urllib3.exceptions.ProtocolError():
            return f"sent an answer that is not valid HTTP ({_first_sentence(root)})"
        case socket.gaierror():
            return f"cannot be reached ({root.strerror})"
        case OSError() if root.errno:
            return f"cannot be reached ({root.strerror})"
    return f"was not contacted ({_first_sentence(root)})"


def _root(error: BaseException) -> BaseException:
    """Return the error that caused an error."""
    while not isinstance(error, http.client.HTTPException) and (cause := error.__cause__ or error.__context__):
        error = cause
    return error


def _first_sentence(error: object) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.split(". ")[0].removesuffix(".")[:MAX_SHOWN]
