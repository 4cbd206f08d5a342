"""`verify` as people use it: what it takes, what it returns, what it raises, and how it describes what is wrong."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import verify
from tinygrad_mnist.errors import GradientError

RNG = np.random.default_rng(0)
X, W = RNG.standard_normal((5, 4)), RNG.standard_normal((4, 4))
Change = Callable[[Any], Any]


def product(x: Any, w: Any) -> Any:
    return x @ w


def product_backward(dz: Any, x: Any, w: Any) -> Any:
    dx = dz @ w.T
    dw = x.T @ dz
    return dx, dw


def changed(change: Change) -> Callable[..., Any]:
    """Return the backward of `product` with a change to dw."""

    def backward(dz: Any, x: Any, w: Any) -> Any:
        dx, dw = product_backward(dz, x, w)
        return dx, change(dw)

    return backward


def forget(axis: int) -> Change:
    """Return a change that sets one row, or one column, to 0."""

    def change(dw: Any) -> Any:
        dw = dw.copy()
        np.moveaxis(dw, axis, 0)[1:2] = 0
        return dw

    return change


class Scale:
    """A layer with a parameter."""

    def __init__(self, factor: float = 1) -> None:
        self.params, self.grads = {"gain": np.array([1.0, -2.0, 0.5, 3.0])}, dict[str, Any]()
        self.factor = factor

    def forward(self, x: Any) -> Any:
        self.x = x
        return x * self.params["gain"]

    def backward(self, dy: Any) -> Any:
        self.grads = {"gain": self.factor * (dy * self.x).sum(axis=0)}
        return dy * self.params["gain"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda dw: -dw, "dw: yours is minus the measured gradient"),
        (lambda dw: 2 * dw, "dw: yours is 2 times the measured gradient"),
        (lambda dw: dw / 5, "dw: yours is 1/N = 1/5 of the measured gradient"),
        (lambda dw: 5 * dw, "dw: yours is N = 5 times the measured gradient"),
        (lambda dw: dw.T.copy(), "dw: yours is the transpose of the measured gradient"),
        (lambda dw: 0 * dw, "dw: yours is 0 everywhere"),
        (forget(0), "dw: only row 1 is wrong"),
        (forget(1), "dw: only column 1 is wrong"),
        (lambda dw: dw + np.eye(4), "dw: 4 of 16 entries are wrong"),
    ],
)
def test_what_is_wrong_is_said_in_words(change: Change, reason: str) -> None:
    found = verify(product, changed(change), X, W, report=True)
    assert (found.verdict, found.reason.partition(" (at")[0]) == ("wrong", reason)
    assert [one.verdict for one in found.arguments] == ["right", "wrong"]


def test_the_worst_entry_and_the_line_are_named() -> None:
    def backward(dz: Any, x: Any, w: Any) -> Any:
        dx, dw = product_backward(dz, x, w)
        dw[2, 3] += 1
        return dx, dw

    _, wrong = verify(product, backward, X, W, report=True).arguments
    (finding,) = wrong.findings
    assert finding.index == (2, 3)
    assert finding.yours - finding.measured == pytest.approx(1)
    assert wrong.source.startswith(__file__)
    assert wrong.source.endswith("dx, dw = product_backward(dz, x, w)") or wrong.source.endswith("dw[2, 3] += 1")


def test_a_wrong_backward_raises_an_assertion_error_that_prints_the_report() -> None:
    with pytest.raises(AssertionError, match=r"product: wrong\n") as caught:
        verify(product, changed(lambda dw: 2 * dw), X, W)
    assert isinstance(caught.value, GradientError)
    assert "2 times the measured gradient" in str(caught.value)


def test_an_inconclusive_verdict_raises_unless_it_is_allowed() -> None:
    rng = np.random.default_rng(0)

    def noisy(x: Any) -> Any:
        return x + rng.random(x.shape)

    arguments = (noisy, lambda dy, x: 1.0 * dy, X)  # noqa: ARG005
    with pytest.raises(GradientError, match="something different in every call"):
        verify(*arguments)
    assert verify(*arguments, allow_inconclusive=True).verdict == "inconclusive"
    assert verify(*arguments, report=True).verdict == "inconclusive"


def test_a_loss_that_is_differentiated_only_for_targets_of_0_and_1_is_not_called_right() -> None:
    def loss(z: Any, t: Any) -> Any:
        return np.mean(np.logaddexp(0, z) - t * z)

    def rounded(dloss: Any, z: Any, t: Any) -> Any:
        return dloss * (1 / (1 + np.exp(-z)) - (t > 0.5)) / z.size

    def whole(dloss: Any, z: Any, t: Any) -> Any:
        return dloss * (1 / (1 + np.exp(-z)) - t) / z.size

    t = (X > 0).astype(float)
    assert verify(loss, whole, X, t, wrt="z").verdict == "right"
    report = verify(loss, rounded, X, t, wrt="z", report=True)
    assert report.verdict == "inconclusive"
    assert "if t is between 0 and 1" in report.reason


def test_a_loss_that_refuses_targets_between_0_and_1_is_right_without_them() -> None:
    def loss(z: Any, t: Any) -> Any:
        if not np.isin(t, (0, 1)).all():
            raise AssertionError("targets must be 0 or 1")
        return np.mean(np.logaddexp(0, z) - t * z)

    def backward(dloss: Any, z: Any, t: Any) -> Any:
        return dloss * (1 / (1 + np.exp(-z)) - t) / z.size

    assert verify(loss, backward, X, (X > 0).astype(float), wrt="z").verdict == "right"


def test_the_report_can_be_read_by_programs_and_shown_in_a_notebook() -> None:
    found = verify(product, changed(lambda dw: 2 * dw), X, W, report=True)
    read = json.loads(json.dumps(found.as_json()))
    assert [(one["name"], one["verdict"]) for one in read["arguments"]] == [("x", "right"), ("w", "wrong")]
    assert read["arguments"][0]["oracle"] == "complex step"
    assert repr(found).startswith("product: wrong\n")


@pytest.mark.parametrize(
    "options",
    [
        {"wrt": "w"},
        {"wrt": ("w", "x")},
        {"upstream": RNG.standard_normal((5, 4))},
        {"sample": 3},
        {"scale": 0.1},
        {"rtol": 1e-4},
        {"dtypes": ("float64", "float32", "float16")},
        {"skip": ("layouts", "sizes", "lines", "points")},
        {"seed": 3},
    ],
)
def test_a_right_backward_is_right_with_every_option(options: dict[str, Any]) -> None:
    def backward(dz: Any, x: Any, w: Any) -> Any:
        gradients = dict(zip("xw", product_backward(dz, x, w), strict=True))
        return tuple(gradients[name] for name in options.get("wrt", ("x", "w")))

    assert verify(product, backward, X, W, **options).verdict == "right"


def test_a_larger_error_is_allowed_by_rtol() -> None:
    off = changed(lambda dw: dw * (1 + 1e-5))
    assert verify(product, off, X, W, report=True).verdict == "wrong"
    assert verify(product, off, X, W, rtol=1e-4).verdict == "right"


def test_several_outputs_get_a_tuple_of_upstream_gradients() -> None:
    def forward(x: Any) -> Any:
        return x * x, x.sum(axis=1)

    def backward(douts: Any, x: Any) -> Any:
        squares, sums = douts
        return 2 * squares * x + sums[:, None]

    assert verify(forward, backward, X).verdict == "right"
    assert verify(forward, lambda douts, x: 2 * douts[0] * x, X, report=True).verdict == "wrong"


def test_a_cache_is_passed_on() -> None:
    def forward(x: Any) -> Any:
        y = np.tanh(x)
        return y, y

    assert verify(forward, lambda dy, y: dy * (1 - y * y), X, cache=True).verdict == "right"
    assert verify(forward, lambda dy, y: dy * (1 - y), X, cache=True, report=True).verdict == "wrong"


def test_a_layer_is_checked_with_its_parameters() -> None:
    found = verify(Scale(), X)
    assert ([one.name for one in found.arguments], found.verdict) == (["x", "gain"], "right")
    wrong = verify(Scale(factor=2), X, report=True)
    assert wrong.reason.startswith("dgain: yours is 2 times the measured gradient")


def test_functions_may_live_on_a_gpu(cupy_standin: Any) -> None:
    from tinygrad_mnist.arrays.backend import choose_backend
    from tinygrad_mnist.passes import relu

    x = choose_backend("cupy").to_device(X)
    assert type(x) is not np.ndarray
    assert verify(relu.forward, relu.backward, x).verdict == "right"
    assert verify(relu.forward, lambda dh, z: dh * 1.0, x, report=True).verdict == "wrong"  # noqa: ARG005


def test_a_convolution_takes_few_calls_and_no_array_is_larger_than_needed() -> None:
    """The time of a check is that of its calls, which is what can be counted on every machine."""
    calls, largest = {"forward": 0, "backward": 0}, 0

    def windows(x: Any) -> Any:
        return np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))

    def forward(x: Any, w: Any, b: Any) -> Any:
        nonlocal largest
        calls["forward"] += 1
        y = np.tensordot(windows(x), w, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2) + b[:, None, None]
        largest = max(largest, x.size, y.size)
        return y

    def backward(dy: Any, x: Any, w: Any, b: Any) -> Any:
        calls["backward"] += 1
        padded = np.pad(dy, ((0, 0), (0, 0), (2, 2), (2, 2)))
        dx = np.tensordot(windows(padded), w[:, :, ::-1, ::-1], axes=((1, 4, 5), (0, 2, 3))).transpose(0, 3, 1, 2)
        dw = np.tensordot(dy, windows(x), axes=((0, 2, 3), (0, 2, 3)))
        return dx.copy(), dw, dy.sum(axis=(0, 2, 3))

    x, w = RNG.standard_normal((4, 8, 14, 14)), RNG.standard_normal((6, 8, 3, 3))
    assert verify(forward, backward, x, w, RNG.standard_normal(6)).verdict == "right"
    assert calls["forward"] < 1200
    assert calls["backward"] < 500
    assert largest <= 20_000
