"""The environment of a training: what decides the last bits of its numbers, besides its settings and its data."""

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from tinygrad_mnist.errors import require
from tinygrad_mnist.runs.settings import require_between, shown

MAX_THREADS, MAX_TEXT = 10**6, 200
"""The largest number of threads and of characters that are accepted from a file."""


@dataclass(frozen=True)
class Environment:
    """NumPy, the BLAS library that multiplies its matrices, and the device. Raises ValueError if one is not valid."""

    numpy: str  # its version
    blas: str  # its name, its version and the processor it computes for, "" if unknown
    threads: int  # of BLAS, 0 if unknown
    device: str  # the description of the backend

    def __post_init__(self) -> None:
        """Check every value, because it may have been read from a file."""
        for name in ("numpy", "blas", "device"):
            value = getattr(self, name)
            require(type(value) is str and len(value) <= MAX_TEXT, f"{name} is {shown(value)}, not a short text")
        require_between("threads", self.threads, 0, MAX_THREADS)


def current(device: str) -> Environment:
    """Return the environment of this program, with the description of the device that it computes on."""
    # Imported only when a training is saved.
    from threadpoolctl import threadpool_info

    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    # SciPy may have loaded another library. Apple's Accelerate is not in the list.
    of_numpy = [library for library in libraries if "numpy" in library["filepath"]] or libraries
    library: dict[str, Any] = of_numpy[0] if of_numpy else {}
    parts = (library.get(key) for key in ("internal_api", "version", "architecture"))
    blas = " ".join(str(part) for part in parts if part)
    return Environment(np.__version__, blas[:MAX_TEXT], library.get("num_threads", 0), device[:MAX_TEXT])


def differences(before: Environment, now: Environment) -> str:
    """Return the differences as text for people, "NumPy 2.3.5 before and 2.4.0 now", or "" if there are none."""
    labels = {"numpy": "NumPy", "blas": "BLAS library", "threads": "number of BLAS threads", "device": "device"}
    old, new = asdict(before), asdict(now)
    names = [field.name for field in fields(Environment) if old[field.name] != new[field.name]]
    return ", ".join(
        f"{labels[name]} {old[name] or 'unknown'} before and {new[name] or 'unknown'} now" for name in names
    )
