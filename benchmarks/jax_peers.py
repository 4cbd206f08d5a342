"""The same training with JAX: one compiled program for an epoch, in which `scan` goes from batch to batch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MOMENTUM = 0.9

Parameters = list[tuple[Any, Any]]


def version() -> str:
    """Return JAX's version."""
    return str(jax.__version__)


def linear_epoch(x: Floats, t: Floats, batch: int, rate: float) -> Callable[[], Parameters]:
    """Return a program that trains a linear model for one epoch, with the book's mean loss."""

    def loss(parameters: Parameters, inputs: Any, targets: Any) -> Any:
        ((w, b),) = parameters
        p = jax.nn.sigmoid(inputs @ w + b)
        return jnp.mean(jnp.where(targets == 1, 1 - p, p))

    start = [(np.zeros((x.shape[1], t.shape[1]), np.float32), np.zeros(t.shape[1], np.float32))]
    return _epoch(loss, start, x, t, batch, rate, momentum=0.0)


def convolutional_epoch(x: Floats, t: Floats, start: Parameters, batch: int, rate: float) -> Callable[[], Parameters]:
    """Return a program that trains the convolutional network for one epoch with momentum, from these parameters.

    x (N, 784) has pixels from 0 to 1. The parameters have the shapes that this project gives them.
    """
    return _epoch(_convolutional_loss, start, x, t, batch, rate, MOMENTUM)


def logits(parameters: Parameters, x: Floats) -> Floats:
    """Return the logits (N, O) of the convolutional network for images (N, 784)."""
    parts = [np.asarray(_logits(parameters, x[first : first + 1000])) for first in range(0, len(x), 1000)]
    return np.concatenate(parts)


def _convolutional_loss(parameters: Parameters, inputs: Any, targets: Any) -> Any:
    return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(_logits(parameters, inputs)), axis=1))


@jax.jit
def _logits(parameters: Parameters, x: Any) -> Any:
    side = int(np.sqrt(x.shape[1]))
    h, channels = x.reshape(-1, side, side, 1), 1
    for w, b in parameters[:2]:
        filters = w.reshape(5, 5, channels, -1)
        z = lax.conv_general_dilated(h, filters, (2, 2), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b
        h, channels = jax.nn.relu(z), filters.shape[-1]
    h = h.reshape(len(h), -1)
    *hidden, (w, b) = parameters[2:]
    for v, c in hidden:
        h = jax.nn.relu(h @ v + c)
    return h @ w + b


def _epoch(
    loss: Callable[..., Any], start: Parameters, x: Floats, t: Floats, batch: int, rate: float, momentum: float
) -> Callable[[], Parameters]:
    images, targets = jnp.asarray(x), jnp.asarray(t)
    full = len(x) // batch * batch

    def step(state: Any, rows: Any) -> tuple[Any, Any]:
        parameters, velocity = state
        value, gradients = jax.value_and_grad(loss)(parameters, images[rows], targets[rows])
        velocity = jax.tree.map(lambda v, d: momentum * v + d, velocity, gradients)
        return (jax.tree.map(lambda w, v: w - rate * v, parameters, velocity), velocity), value

    @jax.jit
    def epoch(parameters: Parameters, order: Any) -> Any:
        state = parameters, jax.tree.map(jnp.zeros_like, parameters)
        state, _ = lax.scan(step, state, order[:full].reshape(-1, batch))
        return state[0] if full == len(x) else step(state, order[full:])[0][0]

    rng = np.random.default_rng(0)
    return lambda: jax.block_until_ready(epoch(start, rng.permutation(len(x))))
