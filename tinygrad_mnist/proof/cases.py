"""The gradient cases: every page, loss and network of ours, with arguments to check it at, and training.

To add a page, add a line to `page_cases`.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist.arrays.backend import Array, Backend, array_namespace, asarray_like
from tinygrad_mnist.arrays.layers import Layer, Parameters
from tinygrad_mnist.check.report import Finding, Report
from tinygrad_mnist.check.verify import verify
from tinygrad_mnist.errors import UsageError
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import convolutional, dense
from tinygrad_mnist.passes import sigmoid, softmax_cross_entropy
from tinygrad_mnist.proof.reference_training import TrainingCase, training_cases

Draw: TypeAlias = Callable[..., NDArray[np.float64]]
"""Returns a random array of the given shape."""

SHAPES = (
    ("one layer", "mean", (5, 2), 8),
    ("hidden", "mean", (5, 6, 2), 8),
    ("equal widths", "cross-entropy", (4, 4, 4, 4), 5),
    ("one row", "cross-entropy", (3, 6, 4, 2), 1),
    ("one output", "mean", (3, 4, 1), 7),
    ("eight layers", "cross-entropy", (3, 4, 4, 4, 4, 4, 4, 4, 2), 5),
)
"""The dense networks: a name, a loss, the sizes of their layers, and the number of images."""


@dataclass(frozen=True)
class Case:
    """What `verify` is called with, and a name for it."""

    name: str
    forward: Callable[..., Array]
    backward: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)  # those of `verify`, such as wrt
    chained: bool = False  # whether it consists of functions with cases of their own, and so is wrong if one of them is

    def report(self, backend: Backend, dtypes: Sequence[str] = ("float64", "float32"), seed: int = 0) -> Report:
        """Return the report on this case, with its arrays on the device of a backend."""
        try:
            return self.verified(backend, dtypes, seed)
        except UsageError as error:  # the arguments are ours, so a function that refuses them is wrong
            return Report(self.name, findings=[Finding(str(error))])

    def verified(self, backend: Backend, dtypes: Sequence[str] | None, seed: int) -> Report:
        """Return the same report. Raises UsageError if the functions cannot be called with these arguments."""
        arguments = [backend.to_device(x) if isinstance(x, np.ndarray) else x for x in self.arguments]
        options = {"dtypes": dtypes, "seed": seed, **self.options}
        return verify(self.forward, self.backward, *arguments, report=True, **options)


def all_cases(seed: int = 0) -> dict[str, Case | TrainingCase]:
    """Return every case by its name, with random numbers that are the same for the same seed."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> NDArray[np.float64]:
        # They are the same in float32.
        return rng.standard_normal(math.prod(shape)).astype(np.float32).astype(np.float64).reshape(shape)

    ours = [*page_cases(draw), *loss_cases(draw), *network_cases(draw)]
    return {case.name: case for case in ours} | {case.name: case for case in training_cases()}


def page_cases(draw: Draw) -> Iterator[Case]:
    """Yield the cases of the pages."""
    yield page_case("square", "square", draw(4, 3))
    yield page_case("linear", "linear", draw(5, 4), draw(4, 3), draw(3))
    yield page_case("linear 3x3", "linear", draw(3, 3), draw(3, 3), draw(3))
    yield page_case("first linear", "first_linear", images(draw(6, 4)), draw(4, 2), draw(2), wrt=("w", "b"))
    yield page_case("sigmoid", "sigmoid", 4 * draw(6, 2))
    yield page_case("tanh", "tanh", 2 * draw(6, 2))
    yield page_case("relu", "relu", draw(6, 4))
    yield page_case("broadcast", "broadcast", draw(3, 1), (2, 3, 4))
    yield page_case("patches", "patches", draw(3, 5, 6, 2), 3, 2)
    yield page_case("max pool", "max_pool", draw(2, 5, 4, 3), 2)
    # Pixels that are equal share the gradient, which shows if they grow together.
    yield page_case("pool of ties", "max_pool", np.repeat(draw(2, 2, 2, 1), 2, axis=1), 2)
    yield page_case("layer norm", "layer_norm", draw(6, 4), draw(4), draw(4))
    yield page_case("batch norm", "batch_norm", draw(6, 4), draw(4), draw(4))
    yield page_case("mean loss", "mean_loss", draw(6, 2), hard(draw(6, 2)), wrt="p")
    yield page_case("soft mean", "mean_loss", draw(6, 2), soft(draw(6, 2)), wrt="p")
    yield page_case("cross-entropy", "cross_entropy", 4 * draw(6, 2), hard(draw(6, 2)), wrt="z")
    yield page_case("soft entropy", "cross_entropy", 4 * draw(6, 2), soft(draw(6, 2)), wrt="z")
    yield page_case("squared error", "squared_error", draw(6, 2), draw(6, 2), wrt="y")
    yield page_case("softmax", "softmax_cross_entropy", 4 * draw(6, 3), np.argmax(draw(6, 3), axis=1), wrt="z")
    rows_of_probabilities = softmax_cross_entropy.softmax(draw(6, 3)).astype(np.float32)
    yield page_case("soft softmax", "softmax_cross_entropy", 4 * draw(6, 3), rows_of_probabilities, wrt="z")


def page_case(name: str, page: str, *arguments: Any, wrt: str | tuple[str, ...] | None = None) -> Case:
    """Return the case of a page at these arguments, with respect to all arrays of floats if `wrt` names none.

    `verify` gives a backward the upstream gradient and all that forward takes. That of a page takes some of these, the
    output of forward, or the shape of x; that of a loss takes no upstream gradient, which is 1 in a network.
    """
    module = import_module(f"tinygrad_mnist.passes.{page}")
    taken, (first, *rest) = (list(inspect.signature(f).parameters) for f in (module.forward, module.backward))

    def backward(upstream: Array, *given: Any) -> Any:
        values = dict(zip(taken, given, strict=True))
        if first in values:
            return upstream * module.backward(*(values[name] for name in (first, *rest)))
        if "shape" in rest:
            values["shape"] = values["x"].shape
        if (output := first.removeprefix("d")) in rest:
            values[output] = module.forward(*given)
        return module.backward(upstream, *(values[name] for name in rest))

    return Case(name, module.forward, backward, arguments, {"source": module.backward, "wrt": wrt})


def images(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return random images: whole numbers, with 255 for each 1."""
    return np.round(255 * numbers)


def hard(numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return random targets 0 and 1."""
    return (numbers > 0).astype(np.uint8)


def soft(numbers: NDArray[np.float64]) -> Array:
    """Return random targets between 0 and 1."""
    return sigmoid.forward(numbers).astype(np.float32)


def loss_cases(draw: Draw) -> Iterator[Case]:
    """Yield the cases of dz of the losses, as training calls them."""
    for name, loss in LOSSES.items():

        def forward(z: Array, t: Array, loss: Callable[..., Any] = loss) -> Array:
            return loss(z, t)[0]

        def backward(upstream: Array, z: Array, t: Array, loss: Callable[..., Any] = loss) -> Array:
            return upstream * loss(z, t)[1]

        # The rows of these targets have the sum 1, as the softmax needs.
        arguments = 2 * draw(6, 3), np.eye(3)[np.argmax(draw(6, 3), axis=1)]
        yield Case(f"loss {name}", forward, backward, arguments, {"source": loss, "wrt": "z"}, chained=True)


def network_cases(draw: Draw) -> Iterator[Case]:
    """Yield the cases of dense networks of many shapes, and of a convolutional one whose patches overlap."""
    for name, loss, sizes, rows in SHAPES:
        parameters = [draw(*shape) for pair in pairwise(sizes) for shape in (pair, pair[1:])]
        yield network_case(name, dense, loss, images(draw(rows, sizes[0])), hard(draw(rows, sizes[-1])), parameters)
    pixels, shapes = 17 * 17, convolutional.weight_shapes((17 * 17, 2, 4, 4, 3))
    parameters = [draw(*shape) / 2 for pair in shapes for shape in (pair, pair[1:])]
    # Four in five pixels are black, as in MNIST.
    x = images(np.clip(draw(3, pixels) - 0.8, 0, 1))
    yield network_case("convolutional", convolutional, "softmax-cross-entropy", x, np.eye(3), parameters)


def network_case(
    name: str, network: Any, loss: str, x: NDArray[Any], t: NDArray[Any], arguments: Sequence[NDArray[Any]]
) -> Case:
    """Return the case of all parameters of a network, w1, b1, w2 and so on."""

    def run_forward(arrays: Sequence[Array]) -> tuple[Array, Array, Any, Parameters]:
        """Return the loss, dz, the cache and the parameters."""
        parameters = tuple(Layer(w, b) for w, b in zip(arrays[::2], arrays[1::2], strict=True))
        # Images are complex if one of the parameters takes a complex step.
        xp = array_namespace(arrays[0])
        z, cache = network.forward(xp.astype(asarray_like(x, like=arrays[0]), xp.result_type(*arrays)), parameters)
        return *LOSSES[loss](z, asarray_like(t, like=z)), cache, parameters

    def forward(*arrays: Array) -> Array:
        return run_forward(arrays)[0]

    def backward(upstream: Array, *arrays: Array) -> list[Array]:
        _, dz, cache, parameters = run_forward(arrays)
        return [array for layer in network.backward(upstream * dz, cache, parameters) for array in layer]

    names = [f"{letter}{number}" for number in range(1, len(arguments) // 2 + 1) for letter in "wb"]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # names, which a report shows
    # These checks take seconds, and the passes have them.
    options = {"source": network.backward, "skip": ("layouts", "sizes", "lines", "points")}
    return Case(name, forward, backward, tuple(arguments), options, chained=True)
