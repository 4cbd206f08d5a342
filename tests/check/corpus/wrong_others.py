"""Wrong backwards for labels, masks, sizes and numbers that are not among the given ones."""

from typing import Any

import numpy as np
from scipy import special

from tests.check.corpus.entry import numbers, wrong, wrong_backwards
from tests.check.corpus.right_losses import cross_entropy, cross_entropy_backward
from tests.check.corpus.right_products import linear, linear_backward

X = numbers(5, 3)


class FirstInput:
    """A layer that keeps its first input of each shape."""

    def __init__(self) -> None:
        self.seen: dict[Any, Any] = {}

    def forward(self, x: Any) -> Any:
        self.x = self.seen.setdefault((x.shape, x.dtype), x.copy())
        return x * x

    def backward(self, dy: Any) -> Any:
        return 2 * dy * self.x


def by_identity() -> Any:
    """Return a backward of x^2 that keeps a copy of each array object, which may get new numbers in place."""
    copies: dict[int, tuple[Any, Any]] = {}

    def backward(dy: Any, x: Any) -> Any:
        _, kept = copies.setdefault(id(x), (x, x.copy()))  # holding x keeps its identity from being reused
        return 2 * dy * kept

    return backward


def sine_unless(rows: Any) -> Any:
    """Return a backward of sin that is doubled for some numbers of rows."""
    return lambda dy, x: dy * np.cos(x) * (2 if len(x) and rows(len(x)) else 1)


def sine_if(condition: Any) -> Any:
    """Return a backward of sin that is doubled if the whole array meets a condition."""
    return lambda dy, x: dy * np.cos(x) * (2 if condition(x) else 1)


def in_fours(dy: Any, x: Any) -> Any:
    """Return dx of sin, computed in blocks of four columns, of which the last is forgotten if it is not full."""
    dx = dy * np.cos(x)
    whole = x.shape[1] // 4 * 4
    if whole:
        dx[:, whole:] = 0
    return dx


def last_class(dy: Any, x: Any, labels: Any) -> Any:
    """Return dx of the cross-entropy, doubled for label 2."""
    return cross_entropy_backward(dy, x, labels) * np.where(labels == 2, 2, 1).astype(x.dtype)[:, None]


def limited(change: Any) -> Any:
    """Return a backward of `linear` whose weight gradient is changed."""

    def backward(dz: Any, x: Any, w: Any, b: Any) -> Any:
        dx, dw, db = linear_backward(dz, x, w, b)
        return dx, change(dw, x), db

    return backward


ENTRIES = [
    *wrong_backwards(
        np.sin,
        (X,),
        {
            "rows in multiples of 4 count twice": sine_unless(lambda n: n % 4 == 0),
            "rows in multiples of 16 count twice": sine_unless(lambda n: n % 16 == 0),
            "an even number of rows counts twice": sine_unless(lambda n: n % 2 == 0),
            "a last block of columns is forgotten": in_fours,
            "no rows are an error": lambda dy, x: dy * np.cos(x) * (len(x) // len(x)),
            "it is wrong if all entries exceed 2": sine_if(lambda x: (x > 2).all()),
            "it is wrong if the sum exceeds 20": sine_if(lambda x: x.sum() > 20),
            "it is wrong if an entry exceeds 6": sine_if(lambda x: (abs(x) > 6).any()),
            "upstream gradients below 1e-25 are dropped": lambda dy, x: np.where(abs(dy) < 1e-25, 0, dy) * np.cos(x),
            "all upstream gradients above 0 count twice": lambda dy, x: (
                dy * np.cos(x) * (2 if dy.size and (dy > 0).all() else 1)
            ),
            "it is wrong in a band of 1e-5": lambda dy, x: dy * np.cos(x) * np.where((x > 0.5) & (x < 0.50001), 2, 1),
        },
    ),
    *wrong_backwards(
        linear,
        (numbers(5, 4), numbers(4, 3), numbers(3)),
        {
            "inputs beyond 16 are forgotten": limited(lambda dw, x: dw * (np.arange(len(dw)) < 16)[:, None]),
            "outputs beyond 10 are forgotten": limited(lambda dw, x: dw * (np.arange(dw.shape[1]) < 10)),
        },
    ),
    wrong(
        "more rows than inputs count twice",
        linear,
        limited(lambda dw, x: dw * (1 if len(x) <= len(dw) else 2)),
        numbers(3, 4),
        numbers(4, 2),
        numbers(2),
    ),
    wrong(
        "the last class counts twice, without a label of it",
        cross_entropy,
        last_class,
        numbers(5, 3),
        np.array([0, 1, 1, 0, 1]),
        wrt="x",
    ),
    wrong(
        "large factors are cut off, and none is given",
        lambda x, k: x * k,
        lambda dy, x, k: dy * np.minimum(k, 3),
        X,
        np.array([0, 1, 3]),
        wrt="x",
    ),
    wrong(
        "a mask of ones is ignored",
        lambda x, mask: x * mask,
        lambda dy, x, mask: dy * mask if mask.all() else dy,
        numbers(4, 3),
        np.ones((4, 3)),
        wrt="x",
    ),
    wrong("a layer keeps its first input", FirstInput(), None, numbers(4, 3)),
    wrong("an array that is changed in place is not noticed", lambda x: x * x, by_identity(), X),
    wrong(
        "both factors are taken for positive",
        lambda x, y: np.maximum(x * y, 0),
        lambda dz, x, y: (dz * y * (x > 0), dz * x * (x > 0)),
        X,
        numbers(5, 3, seed=1),
    ),
    wrong(
        "gelu with the slope of its approximation",
        lambda x: x * special.ndtr(x),
        lambda dy, x: dy * (special.expit(1.702 * x) * (1 + 1.702 * x * special.expit(-1.702 * x))),
        X,
    ),
    wrong(
        "it is wrong for float16 only",
        np.sin,
        lambda dy, x: dy * np.cos(x) * (2 if x.dtype == np.float16 else 1),
        X,
        dtypes=("float64", "float16"),
    ),
    wrong(
        "small differences from the target count as 0",
        lambda y, t: ((y - t) ** 2).sum(),
        lambda dy, y, t: 2 * dy * (y - t) * (abs(y - t) > 1e-3),
        X,
        numbers(5, 3, seed=2),
        wrt="y",
    ),
]
