"""How fast this machine trains: digits per second, on random pixels."""

import time

import numpy as np

from tinygrad_mnist import train
from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.train import Settings

DIGITS = 12_000
"""The number of digits in an epoch, about as many as MNIST has threes and sevens."""

SECONDS = 1.5
"""The shortest time to measure each network on each backend. It is enough for many epochs of the small one."""

NETWORKS = {
    "784-1": Settings(batch=256, epochs=1),
    "784-300-1": Settings(hidden=(300,), loss="cross-entropy", batch=256, epochs=1),
}


def digits_per_second(settings: Settings, backend: Backend) -> float:
    """Return how many digits per second are trained on. The first epoch is not measured."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (DIGITS, 784), dtype=np.uint8)
    t = rng.integers(0, 2, (DIGITS, 1), dtype=np.uint8)
    examples = Examples(*map(backend.to_device, (images, np.arange(DIGITS), t)))
    validation = Examples(examples.images, examples.rows[:1], examples.t[:1])
    train.train(examples, validation, settings)
    epochs, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        # Training returns numbers on the host, so the device has finished by then.
        train.train(examples, validation, settings)
        epochs += 1
    return epochs * DIGITS / (time.perf_counter() - begun)
