"""Where data sets are kept: data/ in a checkout of this project, and the user's cache otherwise."""

import os
import time
from contextlib import suppress
from pathlib import Path

from tinygrad_mnist.datasets import mnist

VARIABLE = "TINYGRAD_MNIST_DATA"
"""The environment variable that names a folder with MNIST's four files, or a different folder to keep data sets in."""

RETRY_MINUTES = 15
"""How long a failed download of MNIST is remembered, so that not every command tries again."""


def home() -> Path:
    """Return the folder that data sets are kept in. It may not exist yet.

    It is the one that the environment variable names, unless that has MNIST's files itself. Otherwise it is data/ if
    the current folder is a checkout, or if an earlier version has put data sets there.
    """
    given, local = named(), Path("data")
    if given is not None and not mnist.has_files(given):
        return given
    if is_checkout() or any((local / name).is_dir() for name in ("mnist", "strokes")):
        return local
    import platformdirs  # slow to import, and not needed in a checkout

    return platformdirs.user_cache_path("tinygrad_mnist")


def named() -> Path | None:
    """Return the folder that the environment variable names, or None if it is not set."""
    return Path(name) if (name := os.environ.get(VARIABLE)) else None


def is_checkout() -> bool:
    """Return whether the current folder is a checkout of this project."""
    return Path("cli.py").is_file() and Path("tinygrad_mnist").is_dir()


def of_mnist() -> Path:
    """Return the folder where MNIST is expected."""
    given = named()
    return given if given is not None and mnist.has_files(given) else home() / "mnist"


def of_strokes() -> Path:
    """Return the folder for the digits drawn by this program."""
    return home() / "strokes"


def minutes_since_failure() -> int | None:
    """Return how many minutes ago a download failed, or None if none has failed recently."""
    try:
        minutes = (time.time() - _record().stat().st_mtime) / 60
    except OSError:
        return None
    return int(minutes) if 0 <= minutes < RETRY_MINUTES else None


def remember_failure(reason: str) -> None:
    """Remember that a download has just failed."""
    # A folder that cannot be written to only means that the next command tries again.
    with suppress(OSError):
        _record().parent.mkdir(parents=True, exist_ok=True)
        _record().write_text(f"{reason}\n", "utf-8")


def forget_failure() -> None:
    """Forget a failed download, because one has succeeded."""
    with suppress(OSError):
        _record().unlink(missing_ok=True)


def _record() -> Path:
    return home() / "download-failed.txt"
