"""Right backwards in each form that people write them: caches, layers, dictionaries and several outputs."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import numbers, right
from tests.check.corpus.right_products import linear, linear_backward


def tanh_with_cache(x: Any) -> Any:
    """Return tanh(x), and what backward needs."""
    y = np.tanh(x)
    return y, y


def linear_with_cache(x: Any, w: Any, b: Any) -> Any:
    """Return x w + b, and a dictionary for backward."""
    return x @ w + b, {"x": x, "w": w}


def linear_from_cache(dz: Any, cache: Any) -> Any:
    """Return dx, dw and db of `linear_with_cache`."""
    return dz @ cache["w"].T, cache["x"].T @ dz, dz.sum(axis=0)


def polar(x: Any, y: Any) -> Any:
    """Return two outputs: x y and x + y."""
    return x * y, x + y


def polar_backward(douts: Any, x: Any, y: Any) -> Any:
    """Return dx and dy of `polar`."""
    dproduct, dsum = douts
    return dproduct * y + dsum, dproduct * x + dsum


def cell(x: Any, h: Any, c: Any) -> Any:
    """Return the next state and memory of a cell with a gate."""
    gate = 1 / (1 + np.exp(-x))
    memory = gate * c + (1 - gate) * h
    return np.tanh(memory), memory


def cell_backward(douts: Any, x: Any, h: Any, c: Any) -> Any:
    """Return dx, dh and dc of `cell`."""
    dh_next, dmemory = douts
    gate = 1 / (1 + np.exp(-x))
    memory = gate * c + (1 - gate) * h
    dmemory = dmemory + dh_next * (1 - np.tanh(memory) ** 2)
    return dmemory * (c - h) * gate * (1 - gate), dmemory * (1 - gate), dmemory * gate


class Linear:
    """A layer with a dictionary of parameters."""

    def __init__(self, w: Any, b: Any) -> None:
        self.params = {"w": w, "b": b}
        self.grads: dict[str, Any] = {}

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.params["w"] + self.params["b"]

    def backward(self, dz: Any) -> Any:
        self.grads = {"w": self.x.T @ dz, "b": dz.sum(axis=0)}
        return dz @ self.params["w"].T


class Scale:
    """A layer with a list of parameters, whose gradients are written into arrays that it keeps."""

    def __init__(self, s: Any) -> None:
        self.params = [s]
        self.grads = [np.zeros_like(s)]

    def forward(self, x: Any) -> Any:
        self.x = x
        return x * self.params[0]

    def backward(self, dy: Any) -> Any:
        self.grads[0][...] = (dy * self.x).sum(axis=0)
        return dy * self.params[0]


class Tanh:
    """A layer without parameters."""

    def forward(self, x: Any) -> Any:
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy: Any) -> Any:
        return dy * (1 - self.y**2)


def keyword_only(x: Any, *, slope: float = 0.1) -> Any:
    """Return a leaky relu, with an argument that has a default."""
    return np.where(x > 0, x, slope * x)


def keyword_only_backward(dy: Any, x: Any, *, slope: float = 0.1) -> Any:
    """Return dx of `keyword_only`."""
    return np.where(x > 0, dy, slope * dy)


def dictionary_backward(dz: Any, x: Any, w: Any, b: Any) -> Any:
    """Return a dictionary of gradients, in an order of its own."""
    dx, dw, db = linear_backward(dz, x, w, b)
    return {"b": db, "w": dw, "x": dx}


def dictionary_backward_with_d(dz: Any, x: Any, w: Any, b: Any) -> Any:
    """Return a dictionary of gradients, with a d before each name."""
    dx, dw, db = linear_backward(dz, x, w, b)
    return {"dx": dx, "dw": dw, "db": db}


X, W, B = numbers(5, 4), numbers(4, 3), numbers(3)

ENTRIES = [
    right("tanh with a cache", tanh_with_cache, lambda dy, y: dy * (1 - y * y), X, cache=True),
    right("linear with a cache", linear_with_cache, linear_from_cache, X, W, B, cache=True),
    right("two outputs", polar, polar_backward, numbers(4, 3), numbers(4, 3, seed=1)),
    right("a cell with state and memory", cell, cell_backward, *(numbers(4, 3, seed=s) for s in range(3))),
    right("layer with a dictionary", Linear(W.copy(), B.copy()), None, X),
    right("layer with a list", Scale(numbers(4)), None, X),
    right("layer without parameters", Tanh(), None, X),
    right("dictionary of gradients", linear, dictionary_backward, X, W, B),
    right("dictionary of gradients with a d", linear, dictionary_backward_with_d, X, W, B),
    right("list of gradients", linear, lambda *arguments: list(linear_backward(*arguments)), X, W, B),
    right("tuple of one", np.tanh, lambda dy, x: (dy * (1 - np.tanh(x) ** 2),), X),
    right("an argument with a default", keyword_only, keyword_only_backward, X),
    right("only the weights", linear, lambda dz, x, w, b: x.T @ dz, X, W, B, wrt="w"),
    right("weights and bias", linear, lambda dz, x, w, b: (x.T @ dz, dz.sum(axis=0)), X, W, B, wrt=("w", "b")),
    right(
        "a loss that is a Python number",
        lambda x: float((x * x).sum()),
        lambda dy, x: dy * 2 * x,
        X,
        dtypes=("float64",),
    ),
    right(
        "a given upstream gradient",
        np.tanh,
        lambda dy, x: dy * (1 - np.tanh(x) ** 2),
        X,
        upstream=numbers(5, 4, seed=3),
    ),
    right("only float64", np.tanh, lambda dy, x: dy * (1 - np.tanh(x) ** 2), X, dtypes=("float64",)),
]
