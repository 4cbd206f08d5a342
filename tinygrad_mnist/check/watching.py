"""Watching a file: something happens again whenever it is saved."""

from collections.abc import Iterator
from pathlib import Path

from tinygrad_mnist.errors import UsageError


def saves(path: Path) -> Iterator[None]:
    """Yield once, and again each time that the file is saved. Raises UsageError if watchfiles is not installed.

    The folder is watched, because many editors replace a file instead of writing into it.
    """
    try:
        import watchfiles
    except ImportError as error:
        raise UsageError("watching a file needs watchfiles, which is not installed") from error
    changes = watchfiles.watch(
        path.resolve().parent,
        watch_filter=lambda change, changed: change.name != "deleted" and Path(changed).name == path.name,
        recursive=False,
        debounce=100,
    )
    yield
    for _ in changes:
        yield
