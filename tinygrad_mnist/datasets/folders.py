"""Where data sets are kept: data/ in a checkout of this project, and the user's cache otherwise."""

import os
import time
from pathlib import Path

from tinygrad_mnist.datasets import idx_names

VARIABLE = "TINYGRAD_MNIST_DATA"
"""The environment variable that names a folder with MNIST's four files, or a different folder to keep data sets in."""

RETRY_MINUTES = 15
"""How long a failed download of MNIST is remembered, so that not every command tries again."""


def home() -> Path:
    """Return the folder that data sets are kept in. It may not exist yet.

    It is the one that the environment variable names, unless that has MNIST's files itself. Otherwise it is data/ if
    the current folder is a checkout or has data sets there.
    """
    given, local = named(), Path("data")
    if given is not None and not idx_names.data_sets(given):
        return given
    if is_checkout() or (local / "mnist").is_dir() or (local / "strokes").is_dir():
        return local
    import pooch  # slow to import, and not needed in a checkout

    return Path(pooch.os_cache("tinygrad_mnist"))


def named() -> Path | None:
    """Return the folder that the environment variable names, or None if it is not set."""
    return Path(name) if (name := os.environ.get(VARIABLE)) else None


def is_checkout() -> bool:
    """Return whether the current folder is a checkout of this project."""
    return Path("cli.py").is_file() and Path("tinygrad_mnist").is_dir()


def of_mnist() -> Path:
    """Return the folder where MNIST is expected."""
    given = named()
    return given if given is not None and idx_names.data_sets(given) else home() / "mnist"


def of_strokes() -> Path:
    """Return the folder for the digits drawn by this program."""
    return home() / "strokes"


def failure() -> Path:
    """Return the file whose time is that of the last failed download."""
    return home() / "download-failed.txt"


def download_failed_recently() -> bool:
    """Return whether a download has failed in the last RETRY_MINUTES."""
    return failure().is_file() and 0 <= time.time() - failure().stat().st_mtime < 60 * RETRY_MINUTES
