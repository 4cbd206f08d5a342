"""Makes `import cupy` return the stand-in for CuPy, or fail as a broken CuPy does."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import array_api_compat

from tests.standin_cupy import METER, MODULES, Meter


class _Failing:
    """Makes `import cupy` raise an exception."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def find_spec(self, name: str, *_: object) -> None:
        if name == "cupy":
            raise self._error


@contextmanager
def installed(import_error: Exception | None = None) -> Iterator[Meter]:
    """Let `import cupy` return the stand-in, or raise this exception, and return its meter, set to 0.

    A real CuPy that has been imported before is put aside, with array-api-compat's module for it.
    """
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_of_cupy(name)}
    of_compat = vars(array_api_compat).pop("cupy", None)
    METER.__init__()  # type: ignore[misc]
    finders = [_Failing(import_error)] if import_error else []
    sys.meta_path[:0] = finders  # type: ignore[assignment]
    sys.modules.update({} if import_error else MODULES)
    try:
        yield METER
    finally:
        for finder in finders:
            sys.meta_path.remove(finder)  # type: ignore[arg-type]
        for name in list(filter(_is_of_cupy, sys.modules)):
            del sys.modules[name]
        sys.modules.update(hidden)
        vars(array_api_compat).pop("cupy", None)
        vars(array_api_compat).update({"cupy": of_compat} if of_compat else {})


def _is_of_cupy(name: str) -> bool:
    return name.split(".")[0] == "cupy" or name.startswith("array_api_compat.cupy")
