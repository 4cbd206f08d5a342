"""Wrong backwards whose fault lies where random numbers rarely fall: thresholds, tails, single points, waves."""

from typing import Any

import numpy as np
from scipy import special

from tests.check.corpus.entry import Entry, numbers, wrong

X = numbers(4, 3)
NEAR_1 = 1 + numbers(4, 3) / 10


def relu(x: Any) -> Any:
    """Return max(x, 0)."""
    return np.maximum(x, 0)


def with_threshold(threshold: float) -> Entry:
    """Return a relu whose backward changes sides at this number instead of at 0."""
    return wrong(f"the relu's backward has its bend at {threshold:g}", relu, lambda dy, x: dy * (x > threshold), X)


def mostly_fast(x: Any) -> Any:
    """Return a fast wave in all entries but the first row."""
    y = np.sin(60 * x)
    y[:1] = np.sin(x[:1])
    return y


def mostly_fast_backward(dy: Any, x: Any) -> Any:
    """Return dx of `mostly_fast`, 7 times too large where the wave is fast."""
    dx = 7 * 60 * dy * np.cos(60 * x)
    dx[:1] = dy[:1] * np.cos(x[:1])
    return dx


def tail(limit: float, sign: int = 1) -> Entry:
    """Return a tanh whose backward is 0 beyond a limit on one side, where it should be small."""
    side = "above" if sign > 0 else "below"
    return wrong(
        f"the slope of softplus is wrong {side} {sign * limit:g}",
        lambda x: np.logaddexp(0, sign * x),
        lambda dy, x: np.where(sign * x > limit, 0.5 * dy, dy * sign * special.expit(sign * x)),
        X,
    )


def tail_by_two(limit: float) -> Entry:
    """Return x^2 with a backward that loses its factor of 2 beyond a limit."""
    return wrong(
        f"the factor 2 of x^2 is missing beyond {limit:g}",
        lambda x: x * x,
        lambda dy, x: np.where(abs(x) > limit, dy * x, 2 * dy * x),
        X,
    )


def at_point(point: float) -> Entry:
    """Return a smooth function whose backward is 0 at one point."""
    return wrong(
        f"the slope of sin is 0 at {point:g} exactly",
        lambda x: np.sin(x + 1),
        lambda dy, x: np.where(x == point, 0, dy * np.cos(x + 1)),
        X,
    )


def band(low: float, high: float) -> Entry:
    """Return a smooth function whose backward is wrong in a narrow band."""
    return wrong(
        f"the slope of tanh is doubled from {low:g} to {high:g}",
        np.tanh,
        lambda dy, x: dy * (1 - np.tanh(x) ** 2) * np.where((x > low) & (x < high), 2, 1),
        X,
    )


ENTRIES = [
    *map(with_threshold, (-0.05, 0.05, -1e-3, 1e-3, 1e-6, 0.5, 2, -3)),
    wrong("a fast wave is 7 times too large in most rows", mostly_fast, mostly_fast_backward, numbers(34, 1) / 2),
    wrong("a fast wave is 7 times too large", lambda x: np.sin(60 * x), lambda dy, x: 420 * dy * np.cos(60 * x), X),
    wrong("a fast wave has the wrong phase", lambda x: np.sin(50 * x), lambda dy, x: -50 * dy * np.sin(50 * x), X),
    *(tail(limit) for limit in (5, 10, 20)),
    *(tail(limit, sign=-1) for limit in (3, 8)),
    *map(tail_by_two, (4, 10, 30)),
    *map(at_point, (0.0, 1.0)),
    band(0.4, 0.45),
    band(-0.02, -0.01),
    wrong(
        "the sigmoid's backward is 0 below -6",
        special.expit,
        lambda dy, x: np.where(x < -6, 0, dy * special.expit(x) * special.expit(-x)),
        X,
    ),
    wrong(
        "the backward of gelu is that of relu beyond 2",
        lambda x: x * special.ndtr(x),
        lambda dy, x: (
            dy * np.where(x > 2, 1, special.ndtr(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)).astype(x.dtype)
        ),
        X,
    ),
    wrong("the absolute value has slope 1 on a strip left of 0", abs, lambda dy, x: dy * np.where(x > -0.01, 1, -1), X),
    wrong("clip lets everything through above", lambda x: np.clip(x, -2, 2), lambda dy, x: dy * (x > -2), X / 2),
    wrong("clip bends at 2.5 instead of 2", lambda x: np.clip(x, -2, 2), lambda dy, x: dy * (abs(x) < 2.5), X / 2),
    wrong(
        "huber is squared up to 2 instead of 1",
        lambda x: np.where(abs(x) < 1, x * x / 2, abs(x) - 0.5),
        lambda dy, x: dy * np.clip(x, -2, 2),
        X / 2,
    ),
    wrong(
        "the slope is right only near the given numbers",
        lambda x: x**3,
        lambda dy, x: np.where(abs(x - 1) < 0.5, 3 * x * x, 3) * dy,
        NEAR_1,
    ),
    wrong(
        "a clipped probability loses its slope",
        lambda x: np.log(special.expit(x)),
        lambda dy, x: dy * np.where(special.expit(x) > 1e-3, special.expit(-x), 0),
        X,
    ),
    wrong(
        "softsign has the wrong slope for negative numbers",
        lambda x: x / (1 + abs(x)),
        lambda dy, x: dy / (1 + x) ** 2,
        abs(X),
    ),
    wrong(
        "elu has the wrong slope far to the left",
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        lambda dy, x: dy * np.where(x > 0, 1, np.maximum(np.exp(np.minimum(x, 0)), 0.05)),
        X,
    ),
]
