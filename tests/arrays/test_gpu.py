"""The same code gives the same numbers on other devices: always on two simulated ones, and on a GPU if there is one.

One simulated device is the second one of array-api-strict, and the other is the stand-in for CuPy. NumPy's functions
cannot read their arrays, so a stray `np.` call raises there as it does on a GPU.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.fixtures import Close
from tinygrad_mnist import train
from tinygrad_mnist.arrays import examples as examples_module
from tinygrad_mnist.arrays.backend import Backend, asarray_like, choose_backend, to_host
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.arrays.layers import map_layers
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.networks import dense
from tinygrad_mnist.train import Settings

LINEAR = Settings(epochs=1, batch=32, learning_rate=1.0, seed=5)
DEEP = replace(LINEAR, hidden=(20, 10), loss="cross-entropy", optimizer="momentum", learning_rate=0.1)

HOST_ACCESSES = ("__bool__", "__float__", "__int__", "__index__", "__complex__", "__array__", "__dlpack__")
"""The methods that bring an array's numbers to the host."""


@pytest.fixture(params=["strict", "stand-in", pytest.param("cupy", marks=pytest.mark.gpu)])
def there(request: pytest.FixtureRequest) -> Backend:
    """A device whose memory is not the host's."""
    if request.param == "strict":
        strict = pytest.importorskip("array_api_strict")
        return Backend("strict", strict, strict.Device("device1"), "a simulated device")
    if request.param == "stand-in":
        request.getfixturevalue("cupy_standin")
    try:
        return choose_backend("cupy")
    except BackendError as error:
        pytest.skip(str(error))


def examples(count: int, backend: Backend | None = None) -> Examples:
    """Return images of random pixels with random targets, on a device or on the host."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (count, 784), dtype=np.uint8)
    on_host = Examples(images, np.arange(count), rng.integers(0, 2, (count, 1), dtype=np.uint8))
    return Examples(*map(backend.to_device, on_host)) if backend else on_host


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("settings", [LINEAR, DEEP])
def test_training_starts_from_the_same_numbers_and_an_epoch_ends_with_them(
    there: Backend, settings: Settings, dtype: str, tolerance: float, close: Close
) -> None:
    settings = replace(settings, dtype=dtype)
    starts = [train.initial_state(examples(50, device), settings).parameters for device in (there, None)]
    map_layers(lambda there, here: np.testing.assert_array_equal(to_host(there), here), *starts)
    ends = [train.train(examples(300, device), examples(40, device), settings).last for device in (there, None)]
    map_layers(lambda there, here: close(there, here, tolerance), *(end.parameters for end in ends))


def test_batches_and_predictions_are_the_same(there: Backend, close: Close) -> None:
    elsewhere, here = (train.batches(digits, LINEAR, 1) for digits in (examples(100, there), examples(100)))
    for batch1, batch in zip(elsewhere, here, strict=True):
        for array1, array in zip(batch1, batch, strict=True):
            np.testing.assert_array_equal(to_host(array1), array)
    parameters = dense.initialize((784, 7, 3), np.random.default_rng(0), "float64")
    (images1, rows1, _), (images, rows, _) = examples(30, there), examples(30)
    predicted = dense.logits(images1, rows1, map_layers(there.to_device, parameters))
    close(predicted, dense.logits(images, rows, parameters), 1e-12)


@pytest.mark.parametrize("settings", [LINEAR, DEEP])
def test_more_batches_need_no_more_transfers_to_the_device_and_no_more_accesses_from_the_host(
    there: Backend, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[str] = []

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **options: (recorded.append(name), function(*arguments, **options))[1]

    for module in (train, examples_module):
        monkeypatch.setattr(module, "asarray_like", counted("to device", asarray_like))
    training, few = examples(300, there), examples(10, there)
    array = type(training.images)
    for name in HOST_ACCESSES:
        if there.name == "strict" and hasattr(array, name):
            monkeypatch.setattr(array, name, counted(name, getattr(array, name)))
    counts = []
    for batch in (300, 10):
        recorded.clear()
        train.train(training, few, replace(settings, batch=batch))
        counts.append(sorted(recorded))
    assert counts[0] == counts[1]
    # The first weights and biases, and the order of the epoch.
    assert counts[0].count("to device") == 2 * (len(settings.hidden) + 1) + 1
