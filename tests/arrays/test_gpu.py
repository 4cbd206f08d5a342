"""The same code gives the same numbers on other devices: always on two simulated ones, and on a GPU if there is one.

One simulated device is the second one of array-api-strict, and the other is the stand-in for CuPy. NumPy's functions
cannot read their arrays, so a stray `np.` call raises there as it does on a GPU.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import train
from tinygrad_mnist.arrays import examples as examples_module
from tinygrad_mnist.arrays.backend import Backend, asarray_like, choose_backend, to_host
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.arrays.layers import Parameters, map_layers
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.networks import dense
from tinygrad_mnist.train import Settings

SETTINGS = [
    Settings(epochs=1, batch=32, learning_rate=1.0, seed=5),
    Settings(
        epochs=1, batch=32, hidden=(20, 10), loss="cross-entropy", optimizer="momentum", learning_rate=0.1, seed=5
    ),
]

HOST_ACCESSES = (
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
    "__complex__",
    "__array__",
    "__buffer__",
    "__dlpack__",
)
"""The methods that bring an array's numbers to the host."""

Close = Callable[[Any, Any, float], None]


@pytest.fixture(params=["strict", "stand-in", pytest.param("cupy", marks=pytest.mark.gpu)])
def there(request: pytest.FixtureRequest) -> Backend:
    """A device whose memory is not the host's."""
    if request.param == "strict":
        return simulated()
    if request.param == "stand-in":
        request.getfixturevalue("cupy_standin")
    try:
        return choose_backend("cupy")
    except BackendError as error:
        pytest.skip(str(error))


def simulated() -> Backend:
    strict = pytest.importorskip("array_api_strict")
    return Backend("strict", strict, strict.Device("device1"), "a simulated device")


def examples(count: int, backend: Backend | None = None) -> Examples:
    """Return images of random pixels with random targets, on a device or on the host."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (count, 784), dtype=np.uint8)
    on_host = Examples(images, np.arange(count), rng.integers(0, 2, (count, 1), dtype=np.uint8))
    return Examples(*map(backend.to_device, on_host)) if backend else on_host


def pairs(there: Parameters, here: Parameters) -> list[tuple[Any, Any]]:
    """Return the arrays of two networks in pairs."""
    layers = zip(there, here, strict=True)
    return [pair for layer1, layer in layers for pair in zip(layer1, layer, strict=True)]


@pytest.mark.parametrize("settings", SETTINGS)
def test_training_starts_from_the_same_numbers(there: Backend, settings: Settings) -> None:
    here = train.initial_state(examples(50), settings).parameters
    elsewhere = train.initial_state(examples(50, there), settings).parameters
    for parameter1, parameter in pairs(elsewhere, here):
        np.testing.assert_array_equal(to_host(parameter1), parameter)


def test_batches_are_the_same(there: Backend) -> None:
    elsewhere, here = (train.batches(digits, SETTINGS[0], 1) for digits in (examples(100, there), examples(100)))
    for (images1, t1), (images, t) in zip(elsewhere, here, strict=True):
        np.testing.assert_array_equal(to_host(images1), images)
        np.testing.assert_array_equal(to_host(t1), t)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("settings", SETTINGS)
def test_an_epoch_ends_with_the_same_parameters(
    there: Backend, settings: Settings, dtype: str, tolerance: float, close: Close
) -> None:
    settings = Settings(**{**vars(settings), "dtype": dtype})
    here = train.train(examples(300), examples(40), settings).last
    elsewhere = train.train(examples(300, there), examples(40, there), settings).last
    for parameter1, parameter in pairs(elsewhere.parameters, here.parameters):
        close(parameter1, parameter, tolerance)


@pytest.mark.parametrize("settings", SETTINGS)
def test_more_batches_need_no_more_transfers_to_the_device(
    there: Backend, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfers: list[Any] = []

    def counted(array: Any, like: Any) -> Any:
        transfers.append(array)
        return asarray_like(array, like)

    for module in (train, examples_module):
        monkeypatch.setattr(module, "asarray_like", counted)
    training, few = examples(300, there), examples(10, there)
    train.train(training, few, settings)
    once = len(transfers)
    train.train(training, few, Settings(**{**vars(settings), "batch": 10}))
    assert len(transfers) == 2 * once
    assert once == 2 * (len(settings.hidden) + 1) + 1, "the first weights and biases, and the order of the epoch"


@pytest.fixture
def accesses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that records every access from the host to numbers on the simulated device."""
    strict = pytest.importorskip("array_api_strict")
    recorded: list[str] = []
    array = type(strict.zeros(1))
    for name in HOST_ACCESSES:
        if hasattr(array, name):
            monkeypatch.setattr(array, name, _recording(name, getattr(array, name), recorded))
    return recorded


def _recording(name: str, method: Any, recorded: list[str]) -> Any:
    def record(self: Any, *arguments: Any, **options: Any) -> Any:
        recorded.append(name)
        return method(self, *arguments, **options)

    return record


@pytest.mark.parametrize("settings", SETTINGS)
def test_more_batches_need_no_more_accesses_from_the_host(settings: Settings, accesses: list[str]) -> None:
    training, few = examples(300, simulated()), examples(10, simulated())

    def counted(batch: int) -> int:
        accesses.clear()
        train.train(training, few, Settings(**{**vars(settings), "batch": batch}))
        return len(accesses)

    # One for the loss, one for each parameter and one for the accuracy, and a few more to move constants of the host.
    assert counted(300) == counted(10) > 0


def test_predictions_are_the_same(there: Backend, close: Close) -> None:
    parameters = dense.initialize((784, 7, 3), np.random.default_rng(0), "float64")
    elsewhere = map_layers(there.to_device, parameters)
    images, rows, _ = examples(30)
    images1, rows1, _ = examples(30, there)
    close(dense.logits(images1, rows1, elsewhere), dense.logits(images, rows, parameters), 1e-12)
