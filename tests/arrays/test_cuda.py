"""The swap: the same lines, the same numbers, on another device. A pretended one is always there, a GPU perhaps.

The pretended device is array-api-strict's second one. Nothing that NumPy does reaches it, so that a stray `np.` call
raises there as on a GPU; and since its arrays are Python objects, the looks at them can be counted.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import backend, claims, network, train
from tinygrad_mnist.backend import Backend, to_host
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.train import Examples, Settings

SETTINGS = [
    Settings(epochs=1, batch=32, learning_rate=1.0, seed=5),
    Settings(epochs=1, batch=32, hidden=(20, 10), loss="cross-entropy", step="momentum", learning_rate=0.1, seed=5),
]
Make = Callable[[int], Examples]

LOOKS = ("__bool__", "__float__", "__int__", "__index__", "__complex__", "__array__", "__buffer__", "__dlpack__")
"""The ways in which an array's numbers come to the host."""


@pytest.fixture(params=["strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def there(request: pytest.FixtureRequest) -> Backend:
    """A device other than the host's memory."""
    if request.param == "strict":
        strict = pytest.importorskip("array_api_strict")
        return Backend("strict", strict, strict.Device("device1"), "another device")
    try:
        return backend.choose("cupy")
    except BackendError as error:
        pytest.skip(str(error))


def digits(count: int, outputs: int = 1) -> Examples:
    """Return images of random pixels on the host, with random targets."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (count, 784), dtype=np.uint8)
    return Examples(images, np.arange(count), rng.integers(0, 2, (count, outputs), dtype=np.uint8))


def without_paper(count: int) -> Examples:
    """Return the same, where the pixels of every fourth column are paper in all images, and left out."""
    inked = np.arange(784) % 4 > 0
    whole = digits(count)
    return whole._replace(images=whole.images[:, inked], inked=inked)


def placed(examples: Examples, place: Backend) -> Examples:
    """Return the examples on a device."""
    return examples.moved(place.place)


@pytest.mark.parametrize("made", [digits, without_paper])
@pytest.mark.parametrize("settings", SETTINGS)
def test_training_starts_from_the_same_numbers(there: Backend, settings: Settings, made: Make) -> None:
    here = train.start(made(50), settings)
    for layer1, layer in zip(train.start(placed(made(50), there), settings).parameters, here.parameters, strict=True):
        for parameter1, parameter in zip(layer1, layer, strict=True):
            np.testing.assert_array_equal(to_host(parameter1), parameter)


def test_batches_are_the_same(there: Backend) -> None:
    pairs = zip(
        train.batches(placed(digits(100), there), SETTINGS[0], 1),
        train.batches(digits(100), SETTINGS[0], 1),
        strict=True,
    )
    for (images1, t1), (images, t) in pairs:
        np.testing.assert_array_equal(to_host(images1), images)
        np.testing.assert_array_equal(to_host(t1), t)


@pytest.mark.parametrize("made", [digits, without_paper])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("settings", SETTINGS)
def test_an_epoch_ends_with_the_same_parameters(
    there: Backend, settings: Settings, dtype: str, tolerance: float, made: Make, close: Any
) -> None:
    settings = Settings(**{**vars(settings), "dtype": dtype})
    here = train.train(made(300), digits(40), settings).last
    elsewhere = train.train(placed(made(300), there), placed(digits(40), there), settings).last
    for layer1, layer in zip(elsewhere.parameters, here.parameters, strict=True):
        for parameter1, parameter in zip(layer1, layer, strict=True):
            close(parameter1, parameter, tolerance)


@pytest.mark.parametrize("settings", SETTINGS)
def test_more_batches_move_no_more_to_the_device(
    there: Backend, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves: list[Any] = []

    def counted(array: Any, like: Any) -> Any:
        moves.append(array)
        return backend.beside(array, like)

    # The package's name for its own function hides the module.
    monkeypatch.setattr(import_module("tinygrad_mnist.train"), "beside", counted)
    training, few = placed(digits(300), there), placed(digits(10), there)
    train.train(training, few, settings)
    once = len(moves)
    train.train(training, few, Settings(**{**vars(settings), "batch": 10}))
    assert len(moves) == 2 * once
    assert once == 2 * (len(settings.hidden) + 1) + 1, "the first weights and biases, and the order of the epoch"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every time that the host looks at numbers on the pretended device."""
    strict = pytest.importorskip("array_api_strict")
    seen: list[str] = []
    array = type(strict.zeros(1))
    for name in LOOKS:
        if hasattr(array, name):
            monkeypatch.setattr(array, name, _noted(name, getattr(array, name), seen))
    return seen


def _noted(name: str, look: Any, seen: list[str]) -> Any:
    def noting(self: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(name)
        return look(self, *arguments, **options)

    return noting


@pytest.mark.parametrize("made", [digits, without_paper])
@pytest.mark.parametrize("settings", SETTINGS)
def test_the_host_looks_at_the_device_once_an_epoch_however_many_batches(
    settings: Settings, made: Make, looks: list[str]
) -> None:
    strict = pytest.importorskip("array_api_strict")
    place = Backend("strict", strict, strict.Device("device1"), "another device")
    training, few = placed(made(300), place), placed(digits(10), place)

    def counted(batch: int) -> int:
        looks.clear()
        train.train(training, few, Settings(**{**vars(settings), "batch": batch}))
        return len(looks)

    # One for the loss, one for each parameter, one for the accuracy; more while constants of the host are placed.
    assert counted(300) == counted(10) > 0


@pytest.mark.parametrize("name", claims.all_claims(0))
def test_every_claim_holds_there(there: Backend, name: str) -> None:
    from tinygrad_mnist.gradcheck import check

    wrong = [found for found in check(claims.all_claims(0)[name], there) if not found.passed]
    assert wrong == []


def test_predictions_are_the_same(there: Backend, close: Any) -> None:
    examples = digits(30)
    parameters = network.initialise((784, 7, 3), np.random.default_rng(0), "float64")
    elsewhere = train.layers_moved(parameters, there.place)
    images, rows, *_ = placed(examples, there)
    close(network.predict(images, rows, elsewhere), network.predict(examples.images, examples.rows, parameters), 1e-12)
