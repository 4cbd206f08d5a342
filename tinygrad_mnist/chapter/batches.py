"""Mini-batches: gradients of a few examples at a time."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import network
from tinygrad_mnist.chapter import book
from tinygrad_mnist.chapter.material import Material, batch
from tinygrad_mnist.chapter.section import Figure, Section, Table
from tinygrad_mnist.network import Parameters
from tinygrad_mnist.passes import linear, mean_loss

Rows = NDArray[Any]
"""Images, targets or a gradient: the shape is said where it is used."""

TEXT = (
    "The gradient over all training digits points downhill best, but each step then costs a look at all of them. Over "
    "a few, drawn at random, it points almost the same way for a small part of the work: such a few are a mini-batch, "
    "and once through all digits is an epoch. They have to be mixed, as a batch of threes alone teaches to say 3 "
    "whatever comes. The book's first batch is four threes, two of them surely taken for threes and two surely for "
    "sevens: half of the loss there can be, and yet hardly a slope, since the sigmoid is flat at both ends."
)

SIZES = (4, 64, 256)
"""How many digits are drawn for a batch."""

DRAWS = 20
"""How many batches of a size are looked at."""


def show(material: Material) -> Section:
    """Return how well gradients of mini-batches agree with that of all, and the book's batch of four threes."""
    loss, slope = four_threes()
    return Section(
        "A few digits at a time",
        TEXT,
        ("tinygrad_mnist/train.py", "tinygrad_mnist/network.py"),
        material.data.origin,
        tables=(
            Table(
                "Is a batch's gradient like that of all digits? 1 is the same direction, 0 has nothing in common:",
                ("batch", "steps an epoch", "alike"),
                ("", ",d", ".3f"),
                likenesses(*batch(material.in_the_books_order, "float32"), material.seed),
            ),
        ),
        figures=(
            Figure("loss of four threes", book.FOUR_LOSS, loss),
            Figure("slope of that by the bias", book.FOUR_BIAS_GRADIENT, slope),
        ),
    )


def likenesses(x: Rows, t: Rows, seed: int) -> list[tuple[str, int, float]]:
    """Return a name, the steps that are an epoch, and the likeness to the gradient of all, for several batches.

    x (N, I) and t (N, 1) are sorted: first come those with target 1.
    """
    rng = np.random.default_rng((seed, 0))
    parameters = network.initialise((x.shape[1], 1), rng, "float32")
    whole = gradient(x, t, parameters)

    def likeness(some: NDArray[np.intp]) -> float:
        return alike(gradient(x[some], t[some], parameters), whole)

    count, most = len(x), min(SIZES[-1], len(x))
    found = []
    for size in (size for size in SIZES if size < count):
        draws = [rng.choice(count, size, replace=False) for _ in range(DRAWS)]
        found.append((f"{size} at random", math.ceil(count / size), float(np.mean([likeness(some) for some in draws]))))
    found.append((f"{most} unmixed", math.ceil(count / most), likeness(np.arange(most))))
    return [*found, (f"all {count:,}", 1, likeness(np.arange(count)))]


def gradient(x: Rows, t: Rows, parameters: Parameters) -> Rows:
    """Return the derivative of the mean loss of x (N, I) and t (N, 1) by the weights, as (I,)."""
    passed = network.forward(x, parameters)
    _, dz = mean_loss.of_logits(passed[-1].z, t)
    dw: Rows = network.backward(dz, passed, parameters)[0].w
    return dw[:, 0]


def alike(one: Rows, other: Rows) -> float:
    """Return the cosine of the angle between two gradients: 1 in the same direction, -1 in opposite ones.

    It is 0 where one of them is.
    """
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / lengths) if lengths else 0.0


def four_threes() -> tuple[float, float]:
    """Return the loss of the book's four logits, all of threes, and its derivative by the bias."""
    z = np.array(book.FOUR_LOGITS)[:, np.newaxis]
    loss, dz = mean_loss.of_logits(z, np.ones_like(z))
    # The bias is added to every logit, whatever the pixels are.
    _, db = linear.backward_to_parameters(dz, np.zeros_like(z))
    return float(loss), float(db[0])
