"""Connections that fail, without a server, with a bad certificate, or through a bad proxy: the cause is named."""

import gc
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

Started = Callable[..., AbstractContextManager[str]]
Failed = Callable[[str], str]

OK = b"HTTP/1.0 200 OK\r\n"


def empty(_: bytes) -> Any:
    return iter([OK + b"\r\n"])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # urllib3 does not close its socket
def test_a_response_with_two_lengths_is_not_valid(failed: Failed, started: Started) -> None:
    lengths = b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"
    with started(lambda _: iter([OK + lengths])) as mirror:
        assert "sent an answer that is not valid HTTP (Content-Length contained multiple" in failed(mirror)
        gc.collect()


def test_a_reset_connection_is_told_from_one_that_is_closed(failed: Failed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reset() -> None:
            connection, _ = server.accept()
            connection.recv(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        threading.Thread(target=reset, daemon=True).start()
        assert "broke the connection" in failed(f"http://127.0.0.1:{server.getsockname()[1]}/")


@pytest.mark.parametrize(
    ("mirror", "sentence"),
    [
        ("http://127.0.0.1:9/", "cannot be reached (Connection refused)"),
        ("http://nowhere.invalid/", "cannot be reached ("),
        ("https://127.0.0.1:9/", "cannot be reached (Connection refused)"),
    ],
)
def test_a_server_that_does_not_exist_cannot_be_reached(mirror: str, sentence: str, failed: Failed) -> None:
    assert sentence in failed(mirror)


@pytest.fixture
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate that nobody has signed."""
    openssl = shutil.which("openssl") or pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    words = "req -x509 -newkey rsa:2048 -keyout key.pem -out certificate.pem -days 2 -nodes -subj /CN=localhost"
    subprocess.run([openssl, *words.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def test_a_certificate_that_is_not_trusted_is_named(
    failed: Failed, certificate: ssl.SSLContext, started: Started
) -> None:
    with started(empty, secured=certificate) as mirror:
        assert "has a certificate that is not trusted (self-signed certificate)" in failed(mirror)


def test_a_server_without_tls_does_not_make_a_secure_connection(failed: Failed, started: Started) -> None:
    with started(empty) as mirror:
        assert "does not make a secure connection" in failed(mirror.replace("http:", "https:"))


@pytest.mark.parametrize(
    ("proxy", "mirror", "sentence"),
    [
        ("http://127.0.0.1:9", "http://example.org/", "cannot be reached through the proxy"),
        ("http://127.0.0.1:9", "https://example.org/", "cannot be reached through the proxy"),
        ("http://[::1", "http://example.org/", "was not contacted"),
        ("socks5://127.0.0.1:9", "http://example.org/", "was not contacted (Missing dependencies for SOCKS support)"),
    ],
)
def test_a_proxy_that_fails_is_named(
    proxy: str, mirror: str, sentence: str, failed: Failed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert sentence in failed(mirror)
