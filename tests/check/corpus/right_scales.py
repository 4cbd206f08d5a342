"""Right backwards of functions whose numbers or slopes are unusually large, small, steep or flat."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import Entry, numbers, right

X = numbers(4, 3)


def steep(s: float) -> Entry:
    """Return tanh(z / s)."""
    return right(f"tanh(z / {s:g})", lambda z: np.tanh(z / s), lambda dy, z: dy * (1 - np.tanh(z / s) ** 2) / s, s * X)


def steep_elsewhere(s: float) -> Entry:
    """Return tanh(z / s) at numbers around 1, at nearly all of which it is flat."""
    return right(
        f"tanh(z / {s:g}) in its tails",
        lambda z: np.tanh(z / s),
        lambda dy, z: dy / np.cosh(np.clip(z / s, -300, 300)) ** 2 / s,
        X,
    )


def wave(s: float) -> Entry:
    """Return sin(s z)."""
    return right(f"sin({s:g} z)", lambda z: np.sin(s * z), lambda dy, z: dy * s * np.cos(s * z), X)


def scaled(s: float) -> Entry:
    """Return a product of numbers of this size."""
    return right(
        f"product of numbers of {s:g}",
        lambda x, w: x @ w,
        lambda dz, x, w: (dz @ w.T, x.T @ dz),
        s * X,
        s * numbers(3, 2),
    )


def slope(s: float) -> Entry:
    """Return s sin z."""
    return right(f"{s:g} sin z", lambda z: s * np.sin(z), lambda dy, z: dy * s * np.cos(z), X)


def mixed_backward(dy: Any, x: Any) -> Any:
    """Return dx of columns of very different sizes."""
    return dy * np.cos(x) * np.array([1e-6, 1, 1e6], x.dtype)


ENTRIES = [
    *map(steep, (1e-2, 1e-3, 1e-6, 1e-9, 1e6)),
    *map(steep_elsewhere, (1e-1, 1e-2)),
    *map(wave, (50, 60, 200)),
    *map(scaled, (1e-9, 1e-6, 1e6, 1e9)),
    *map(slope, (1e-9, 1e9)),
    right("z^2 at 1e6", lambda z: z * z, lambda dy, z: 2 * dy * z, 1e6 * X),
    right("z^2 around 1e6", lambda z: z * z, lambda dy, z: 2 * dy * z, 1e6 + X),
    right("z + z^5 at 0", lambda z: z + z**5, lambda dy, z: dy * (1 + 5 * z**4), np.zeros((3, 2))),
    right("z^3 at 0", lambda z: z**3, lambda dy, z: 3 * dy * z * z, np.zeros(4)),
    right("a constant", lambda z: 0 * z + 3, lambda dy, z: 0 * dy, X),
    right("columns of different sizes", lambda x: np.sin(x) * np.array([1e-6, 1, 1e6], x.dtype), mixed_backward, X),
    right("a large constant added", lambda z: np.sin(z) + 1e6, lambda dy, z: dy * np.cos(z), X),
    right("exp of 20", lambda z: np.exp(z), lambda dy, z: dy * np.exp(z), 20 + X),
    right(
        "a narrow bump",
        lambda z: np.exp(-((z / 1e-3) ** 2)),
        lambda dy, z: -2e6 * dy * z * np.exp(-((z / 1e-3) ** 2)),
        X,
    ),
]
