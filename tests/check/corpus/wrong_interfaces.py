"""Wrong backwards with caches, layers, dictionaries and several outputs."""

from typing import Any

import numpy as np

from tests.check.corpus.entry import numbers, wrong, wrong_backwards

X, Y = numbers(4, 3), numbers(4, 3, seed=1)


class SharedLayer:
    """A layer whose parameter's gradient adds up from call to call."""

    def __init__(self, s: Any) -> None:
        self.params = {"s": s}
        self.grads = {"s": np.zeros_like(s)}

    def forward(self, x: Any) -> Any:
        self.x = x
        return x * self.params["s"]

    def backward(self, dy: Any) -> Any:
        self.grads["s"] = self.grads["s"] + (dy * self.x).sum(axis=0)
        return dy * self.params["s"]


class WrongLayer(SharedLayer):
    """A layer whose parameter's gradient is a mean over rows."""

    def backward(self, dy: Any) -> Any:
        self.grads["s"] = (dy * self.x).mean(axis=0)
        return dy * self.params["s"]


class ForgetfulLayer(SharedLayer):
    """A layer that never computes its parameter's gradient."""

    def backward(self, dy: Any) -> Any:
        return dy * self.params["s"]


ENTRIES = [
    wrong("a layer's gradients add up", SharedLayer(numbers(3)), None, X),
    wrong("a layer's parameter gets a mean", WrongLayer(numbers(3)), None, X),
    wrong("a layer forgets its parameter", ForgetfulLayer(numbers(3)), None, X),
    wrong("a cache has the wrong slope", lambda x: (np.tanh(x), np.tanh(x)), lambda dy, y: dy * (1 - y), X, cache=True),
    wrong(
        "a cache is written to",
        lambda x: (np.tanh(x), x),
        lambda dy, x: np.multiply(dy, 1 - np.tanh(x) ** 2, out=x),
        X,
        cache=True,
    ),
    *wrong_backwards(
        lambda x: (x * x, np.sin(x)),
        (X,),
        {
            "two outputs: the second is ignored": lambda douts, x: 2 * douts[0] * x,
            "two outputs are exchanged": lambda douts, x: 2 * douts[1] * x + douts[0] * np.cos(x),
        },
    ),
    wrong(
        "a dictionary names gradients wrongly",
        lambda x, y: x * y * y,
        lambda dz, x, y: {"x": 2 * dz * x * y, "y": dz * y * y},
        X,
        Y,
    ),
]
