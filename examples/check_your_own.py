"""Check the gradient of a layer that is not ours, and find a mistake in it: python examples/check_your_own.py"""

import numpy as np

from tinygrad_mnist import verify


def forward(x, gain):
    """Divide each row of x (N, I) by its root mean square, and multiply by gain (I,)."""
    size = np.sqrt(np.mean(x * x, axis=1, keepdims=True))
    return gain * x / size


def backward(dout, x, gain):
    """Return dx and dgain, given dout (N, I)."""
    size = np.sqrt(np.mean(x * x, axis=1, keepdims=True))
    unit = x / size
    dunit = dout * gain
    dx = (dunit - unit * np.mean(dunit * unit, axis=1, keepdims=True)) / size
    dgain = np.sum(dout * unit, axis=0)
    return dx, dgain


def forgotten(dout, x, gain):
    """The same, as if size did not depend on x."""
    size = np.sqrt(np.mean(x * x, axis=1, keepdims=True))
    dx = dout * gain / size
    dgain = np.sum(dout * x / size, axis=0)
    return dx, dgain


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    x, gain = rng.normal(size=(5, 4)), rng.normal(size=4)
    print(verify(forward, backward, x, gain))
    print(verify(forward, forgotten, x, gain, report=True))
