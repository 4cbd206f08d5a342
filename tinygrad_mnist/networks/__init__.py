"""Networks: passes chained by hand, forward, and then backward in reverse order."""

from collections.abc import Sequence
from types import ModuleType

from tinygrad_mnist.networks import convolutional, dense


def network_with(features: Sequence[int]) -> ModuleType:
    """Return the network with these numbers of features: the convolutional one, or the dense one if there are none.

    Both have initialize(sizes, rng, dtype), forward(x, parameters), backward(dz, cache, parameters) and
    logits(images, rows, parameters). The sizes are the pixels, the features, the hidden units and the outputs.
    """
    return convolutional if features else dense
