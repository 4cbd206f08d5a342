"""What holds for every page: dtypes, arguments and memory are respected, on any device and in any layout."""

import pkgutil
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
import pytest

from tests.fixtures import Close, Draw
from tests.standin_cupy import Meter
from tinygrad_mnist import passes
from tinygrad_mnist.arrays.backend import to_host
from tinygrad_mnist.passes import (
    batch_norm,
    broadcast,
    cross_entropy,
    first_linear,
    layer_norm,
    linear,
    max_pool,
    mean_loss,
    patches,
    relu,
    sigmoid,
    softmax_cross_entropy,
    square,
    squared_error,
    tanh,
)


class Call(NamedTuple):
    """A function of a page and arguments for it, of which some are arrays and some are not."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def run(self, change: Callable[[Any], Any] = lambda array: array) -> tuple[Any, ...]:
        """Return the results for the arguments, of which the arrays are changed first."""
        result = self.function(*(change(a) if isinstance(a, np.ndarray) else a for a in self.arguments))
        return result if isinstance(result, tuple) else (result,)

    @property
    def arrays(self) -> list[Any]:
        return [argument for argument in self.arguments if isinstance(argument, np.ndarray)]


LOSSES: dict[ModuleType, Any] = {
    mean_loss: np.array([[0, 1, 1]] * 5),
    cross_entropy: np.array([[0, 1, 1]] * 5),
    squared_error: np.array([[0, 1, 1]] * 5),
    softmax_cross_entropy: np.array([0, 2, 1, 1, 0]),
}
ENTRYWISE: tuple[Any, ...] = (relu, sigmoid, square, tanh)
NORMS: tuple[Any, ...] = (layer_norm, batch_norm)


def calls(draw: Draw, dtype: str = "float64", rows: int = 5) -> dict[str, Call]:
    """Return a call of every function, by the names of its page and its own."""

    def drawn(*shape: int) -> Any:
        return draw(*shape, dtype=dtype)

    x, y, w, b = drawn(rows, 4), drawn(rows, 3), drawn(4, 3), drawn(3)
    dy, gamma, images = drawn(rows, 4), drawn(4), drawn(rows, 7, 6, 2)
    dc, dh = drawn(rows, 3, 2, 18), drawn(rows, 3, 3, 2)
    functions: dict[ModuleType, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
        linear: ((x, w, b), (y, x, w)),
        first_linear: ((x, w, b), (y, x)),
        broadcast: ((b, (rows, 3)), (y, (3,))),
        patches: ((images, 3, 2), (dc, images.shape, 3, 2)),
        max_pool: ((images, 2), (dh, images, 2)),
    }
    functions |= {page: ((y, t[:rows]), (y, t[:rows])) for page, t in LOSSES.items()}
    functions |= dict.fromkeys(ENTRYWISE, ((y,), (y, y)))
    functions |= dict.fromkeys(NORMS, ((x, gamma, gamma), (dy, x, gamma)))
    return {
        f"{page.__name__.rpartition('.')[2]}.{name}": Call(getattr(page, name), arguments)
        for page, pair in functions.items()
        for name, arguments in zip(("forward", "backward"), pair, strict=True)
    }


NAMES = list(calls(lambda *shape, dtype: np.zeros(shape, dtype)))
LOSS_NAMES = {page.__name__.rpartition(".")[2] for page in LOSSES}
NO_MEAN = {"batch_norm", *LOSS_NAMES}
"""The pages that take a mean over the rows, of which there must be at least one."""

each_function = pytest.mark.parametrize("name", NAMES)


def test_every_page_is_here() -> None:
    assert {name.partition(".")[0] for name in NAMES} == {
        module.name for module in pkgutil.iter_modules(passes.__path__)
    }


@each_function
@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
def test_the_dtype_of_the_arguments_is_that_of_the_results(name: str, dtype: str, draw: Draw) -> None:
    for result in calls(draw, dtype)[name].run():
        assert result.dtype == dtype


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("backward")])
def test_every_gradient_has_the_shape_of_its_argument(name: str, draw: Draw) -> None:
    gradients, arguments = calls(draw)[name].run(), calls(draw)[name.replace("backward", "forward")].arrays
    arguments = arguments[1:] if "first_linear" in name else arguments[: len(gradients)]
    assert [gradient.shape for gradient in gradients] == [argument.shape for argument in arguments]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("page", [linear, first_linear, square, tanh])
def test_complex_numbers_stay_complex(page: ModuleType, dtype: str, draw: Draw) -> None:
    for name in ("forward", "backward"):
        call = calls(draw)[f"{page.__name__.rpartition('.')[2]}.{name}"]
        assert {result.dtype for result in call.run(lambda array: array.astype(dtype))} == {np.dtype(dtype)}


@pytest.mark.parametrize("page", ENTRYWISE)
def test_nan_stays_nan_and_a_derivative_of_a_different_shape_is_refused_by_name(page: Any, draw: Draw) -> None:
    assert np.isnan(page.forward(np.array([np.nan]))).all()
    with pytest.raises(ValueError, match=r"has shape \(64,\).* has shape \(64, 1\)"):
        page.backward(draw(64), draw(64, 1))


@pytest.mark.parametrize("page", [mean_loss, cross_entropy, squared_error])
def test_targets_may_have_any_dtype_but_not_a_shape_that_would_broadcast(page: Any, draw: Draw) -> None:
    y, t = draw(5, 3, dtype="float32"), LOSSES[page]
    for function in (page.forward, page.backward):
        for dtype in ("bool", "uint8", "int64", "float32", "float64"):
            np.testing.assert_array_equal(function(y, t.astype(dtype)), function(y, t), strict=True)
        for shape in ((5,), (5, 1), (1, 3), (1, 1), ()):
            with pytest.raises(ValueError, match=rf"has shape \(5, 3\) and t has shape {re.escape(str(shape))}"):
                function(y, np.zeros(shape))


@each_function
def test_float32_agrees_with_float64(name: str, draw: Draw, close: Close) -> None:
    call = calls(draw)[name]
    for narrow, wide in zip(call.run(lambda a: a.astype("f4") if a.dtype == "f8" else a), call.run(), strict=True):
        close(narrow, wide, 1e-5)


@each_function
def test_arguments_are_left_as_they_are(name: str, draw: Draw) -> None:
    arrays: list[Any] = []

    def writable(array: Any) -> Any:
        arrays.append(array.copy())
        return arrays[-1]

    call = calls(draw)[name]
    call.run(writable)
    for now, then in zip(arrays, call.arrays, strict=True):
        np.testing.assert_array_equal(now, then)


@each_function
def test_no_result_shares_memory_with_an_argument_or_another_result(name: str, draw: Draw) -> None:
    call = calls(draw)[name]
    results = call.run()
    for number, result in enumerate(results):
        for array in (*call.arrays, *results[:number]):
            assert not np.shares_memory(result, array)
        assert result.flags.writeable or result.ndim == 0


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "fortran": np.asfortranarray,
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backward": lambda a: np.flip(np.flip(a).copy()),
    "from the middle": lambda a: np.pad(a, 1)[tuple(slice(1, -1) for _ in a.shape)],
}


@each_function
@pytest.mark.parametrize("layout", LAYOUTS)
def test_results_do_not_depend_on_how_arguments_lie_in_memory(name: str, layout: str, draw: Draw, close: Close) -> None:
    call = calls(draw)[name]
    for result, expected in zip(call.run(LAYOUTS[layout]), call.run(), strict=True):
        close(result, expected, 1e-14)


@each_function
def test_one_row_is_enough(name: str, draw: Draw) -> None:
    call = calls(draw, rows=1)[name]
    for result in call.run():
        assert np.isfinite(result).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name.partition(".")[0] not in NO_MEAN])
def test_an_empty_batch_has_empty_results_and_gradients_of_zero(name: str, draw: Draw) -> None:
    for result, expected in zip(calls(draw, rows=0)[name].run(), calls(draw)[name].run(), strict=True):
        assert result.shape in {(0, *expected.shape[1:]), expected.shape}
        np.testing.assert_array_equal(result, 0)


@pytest.mark.parametrize("name", [name for name in NAMES if name.partition(".")[0] in NO_MEAN])
def test_an_empty_batch_without_a_mean_is_refused(name: str, draw: Draw) -> None:
    with pytest.raises(ValueError, match=r"has shape \(0, .*\): an empty array has no mean"):
        calls(draw, rows=0)[name].run()


@each_function
def test_it_runs_on_a_different_device_and_stays_there(
    name: str, draw: Draw, on_device1: Callable[[Any], Any], close: Close
) -> None:
    call = calls(draw)[name]
    for there, here in zip(call.run(on_device1), call.run(), strict=True):
        assert array_api_compat.device(there) == array_api_compat.device(on_device1(np.zeros(1)))
        close(to_host(there), here, 1e-14)


@each_function
def test_it_runs_on_the_stand_in_for_cupy_and_reads_no_array_back(
    name: str, draw: Draw, cupy_standin: Meter, close: Close
) -> None:
    import cupy

    call = calls(draw)[name]
    on_gpu = Call(
        call.function, tuple(cupy.asarray(a.copy()) if isinstance(a, np.ndarray) else a for a in call.arguments)
    )
    before = cupy_standin.download
    results = on_gpu.run()
    # The softmax cross-entropy refuses targets that are none, and must look at them to know.
    assert cupy_standin.download - before == ("softmax" in name)
    for there, here in zip(results, call.run(), strict=True):
        assert isinstance(there, cupy.ndarray)
        close(there.get(), here, 1e-14)


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("forward") and "first_linear" not in name])
def test_a_complex_step_passes_through_to_the_gradient(name: str, draw: Draw, close: Close) -> None:
    both = calls(draw)
    call, backward = both[name], both[name.replace("forward", "backward")]
    x, *others = call.arguments
    (output,) = call.run()
    rng = np.random.default_rng(1)
    direction, upstream = rng.standard_normal(x.shape), rng.standard_normal(output.shape)
    (stepped,) = Call(call.function, (x + 1e-30j * direction, *others)).run()
    if name.partition(".")[0] in LOSS_NAMES:
        dx = upstream * backward.run()[0]
    else:
        kept = [output if name in {"tanh.forward", "sigmoid.forward"} else a for a in backward.arguments[1:]]
        dx = Call(backward.function, (upstream, *kept)).run()[0]
    close(np.sum(dx * direction), np.sum(upstream * stepped.imag) / 1e-30, 1e-13)
