"""Dropout draws a new mask in each call, so no two calls can be compared."""

import numpy as np

from tinygrad_mnist import verify

rng = np.random.default_rng(0)


def forward(x):
    mask = rng.random(x.shape) < 0.5
    return x * mask, mask


def backward(dy, mask):
    dx = dy * mask
    return dx


x = rng.normal(size=(5, 3))
report = verify(forward, backward, x, cache=True, report=True)
