"""Tell handwritten 3s from 7s with NumPy, three passes and a loop: python examples/train_by_hand.py"""

import numpy as np

from tinygrad_mnist import datasets
from tinygrad_mnist.passes import first_linear, mean_loss, sigmoid


def train(x, t, epochs=5, batch=64, learning_rate=2.0, seed=0):
    """Return w and b, given x (N, I), pixels from 0 to 255, and t (N, 1), 1 for a 3 and 0 for a 7."""
    w = np.random.default_rng((seed, 0)).standard_normal((x.shape[1], 1)) * np.sqrt(1 / x.shape[1])
    w, b = w.astype(x.dtype), np.zeros(1, x.dtype)
    for epoch in range(1, epochs + 1):
        order = np.random.default_rng((seed, epoch)).permutation(len(x))
        losses = []
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            # Forward: the images, their logits, the predictions, the loss.
            z = first_linear.forward(x[rows], w, b)
            p = sigmoid.forward(z)
            losses.append(mean_loss.forward(p, t[rows]))
            # Backward, in reverse: the derivative of the loss with respect to each of them.
            dp = mean_loss.backward(p, t[rows])
            dz = sigmoid.backward(dp, p)
            dw, db = first_linear.backward(dz, x[rows])
            # A step downhill.
            w = w - learning_rate * dw
            b = b - learning_rate * db
        print(f"epoch {epoch}   loss {np.mean(losses):.4f}")
    return w, b


if __name__ == "__main__":
    data = datasets.load("auto", (3, 7), print)
    (x, t), (x_test, t_test) = (
        (
            part.images.reshape(len(part.labels), -1).astype(np.float32),
            (part.labels[:, np.newaxis] == 3).astype(np.float32),
        )
        for part in (data.training, data.test)
    )
    w, b = train(x, t)
    accuracy = np.mean((first_linear.forward(x_test, w, b) > 0) == t_test)
    print(f"{accuracy:.2%} of the test digits are classified correctly")
