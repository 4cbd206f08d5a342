"""The environment of a training: what decides the last bits of its numbers, besides its settings and its data.

A text for each of three: NumPy's version, the BLAS library that multiplies its matrices, and the device.
"""

from typing import Any

import numpy as np


def current(device: str) -> dict[str, str]:
    """Return the environment of this program, with the description of the device that it computes on."""
    # Imported only when something is trained.
    from threadpoolctl import threadpool_info

    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    # SciPy may have loaded another library. Apple's Accelerate is not in the list.
    of_numpy = [library for library in libraries if "numpy" in library["filepath"]] or libraries
    library: dict[str, Any] = of_numpy[0] if of_numpy else {}
    parts = [library.get(key) for key in ("internal_api", "version", "architecture")]
    blas = " ".join(str(part) for part in parts if part)
    return {"NumPy": np.__version__, "BLAS library": blas or "unknown", "device": device}


def differences(before: dict[str, str], now: dict[str, str]) -> str:
    """Return the differences as text for people, "NumPy 2.3.5 before and 2.4.0 now", or "" if there are none."""
    texts = ((name, before.get(name, "unknown"), text) for name, text in now.items())
    return ", ".join(f"{name} {old} before and {new} now" for name, old, new in texts if old != new)
