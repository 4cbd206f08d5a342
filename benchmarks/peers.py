"""The same training with PyTorch and scikit-learn, written the way that their users write it."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tinygrad_mnist.datasets.digits import Digits

Floats = NDArray[np.float32]


def version() -> str:
    """Return PyTorch's version and the number of threads that it uses."""
    return f"{torch.__version__} on {torch.get_num_threads()} threads"


def floats(digits: Digits) -> Floats:
    """Return the images (N, 784) with pixels from 0 to 1."""
    x: Floats = digits.images.reshape(len(digits.labels), -1).astype(np.float32) / np.float32(255)
    return x


def eager(x: Floats, t: Floats, hidden: tuple[int, ...], batch: int, epochs: int, device: str = "cpu") -> nn.Module:
    """Train a network with autograd. Batches are indexed from a tensor in memory: PyTorch's fastest simple loop."""
    inputs, targets = torch.from_numpy(x).to(device), torch.from_numpy(t).to(device)
    model = _model(hidden, t.shape[1]).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for _ in range(epochs):
        order = torch.randperm(len(inputs), device=device)
        for first in range(0, len(inputs), batch):
            rows = order[first : first + batch]
            loss = _loss(model(inputs[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    if device != "cpu":
        torch.cuda.synchronize()  # it returns before the GPU has finished
    return model


def has_cuda() -> bool:
    """Return whether PyTorch can use a GPU."""
    return torch.cuda.is_available()


def compiled(x: Floats, t: Floats, batch: int) -> Callable[[], nn.Module]:
    """Return a program that trains a linear model for one epoch, with the model and its loss compiled."""
    inputs, targets = torch.from_numpy(x), torch.from_numpy(t)
    model = _model((), t.shape[1])
    loss_of = torch.compile(lambda some, wanted: _loss(model(some), wanted))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)

    def epoch() -> nn.Module:
        order = torch.randperm(len(inputs))
        for first in range(0, len(inputs), batch):
            rows = order[first : first + batch]
            loss = loss_of(inputs[rows], targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return model

    return epoch


def convolutional(
    x: Floats, t: Floats, features: tuple[int, ...], hidden: tuple[int, ...], batch: int, rate: float, epochs: int
) -> nn.Module:
    """Train the convolutional network with autograd and momentum, on batches that are indexed from a tensor."""
    inputs, classes = torch.from_numpy(x), torch.from_numpy(t.argmax(axis=1))
    layers: list[nn.Module] = [nn.Unflatten(1, (1, 28, 28))]
    channels = 1
    for count in features:
        layers += [nn.Conv2d(channels, count, kernel_size=5, stride=2), nn.ReLU()]
        channels = count
    layers.append(nn.Flatten())
    width = 4 * 4 * channels
    for count in hidden:
        layers += [nn.Linear(width, count), nn.ReLU()]
        width = count
    model = nn.Sequential(*layers, nn.Linear(width, t.shape[1]))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    for _ in range(epochs):
        order = torch.randperm(len(inputs))
        for first in range(0, len(inputs), batch):
            rows = order[first : first + batch]
            loss = nn.functional.cross_entropy(model(inputs[rows]), classes[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def loader(x: Floats, t: Floats, batch: int) -> nn.Module:
    """Train a linear model for one epoch with the usual DataLoader."""
    data = DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(t)), batch_size=batch, shuffle=True)
    model = _model((), t.shape[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for inputs, targets in data:
        loss = _loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def logits(model: nn.Module, x: Floats) -> Floats:
    """Return a trained model's logits (N, O) for images (N, 784)."""
    with torch.no_grad():
        z: Floats = model(torch.from_numpy(x)).numpy()
    return z


def sgd_classifier(x: Floats, t: Floats, epochs: int = 1) -> Any:
    """Train scikit-learn's linear model, which takes a step after every digit."""
    model = SGDClassifier(loss="log_loss", max_iter=epochs, tol=None, random_state=0)
    return model.fit(x, t[:, 0])


def mlp_classifier(x: Floats, labels: NDArray[Any], batch: int, epochs: int) -> Any:
    """Train scikit-learn's network with one hidden layer of 300 units."""
    model = MLPClassifier((300,), solver="sgd", learning_rate_init=0.1, momentum=0.0, batch_size=batch, random_state=0)
    for _ in range(epochs):
        model.partial_fit(x, labels, classes=range(10))
    return model


def products(x: Floats, hidden: int, outputs: int, batch: int) -> None:
    """Compute the matrix products of one epoch of a network with one hidden layer, and nothing else.

    There are five in a step: one per layer forward, one per layer for the gradient of its weights, and one that takes
    the derivative from the second layer back to the first.
    """
    w1, w2 = np.zeros((x.shape[1], hidden), np.float32), np.zeros((hidden, outputs), np.float32)
    h, z = np.zeros((batch, hidden), np.float32), np.zeros((batch, outputs), np.float32)
    dw1, dw2 = np.zeros_like(w1), np.zeros_like(w2)
    for first in range(0, len(x), batch):
        part = x[first : first + batch]
        n = len(part)
        np.matmul(part, w1, out=h[:n])
        np.matmul(h[:n], w2, out=z[:n])
        np.matmul(h[:n].T, z[:n], out=dw2)
        np.matmul(z[:n], w2.T, out=h[:n])
        np.matmul(part.T, h[:n], out=dw1)


def convolutional_products(shapes: Sequence[tuple[int, int]], places: Sequence[int], batch: int, count: int) -> None:
    """Compute the matrix products of one epoch of a convolutional network, and nothing else.

    `shapes` are those of the weights, and `places` the number of rows that each layer has for an image. Each layer has
    a product forward, one for the gradient of its weights, and one that takes the derivative back, except the first.
    """
    rng = np.random.default_rng(0)
    layers = []
    for (inputs, outputs), rows in zip(shapes, (batch * p for p in places), strict=True):
        x, w = (rng.standard_normal(shape, dtype=np.float32) for shape in ((rows, inputs), (inputs, outputs)))
        layers.append((x, w, x @ w, np.empty_like(x), np.empty_like(w)))
    for _ in range(math.ceil(count / batch)):
        for number, (x, w, z, dx, dw) in enumerate(layers):
            np.matmul(x, w, out=z)
            np.matmul(x.T, z, out=dw)
            if number:
                np.matmul(z, w.T, out=dx)


def _model(hidden: tuple[int, ...], outputs: int) -> nn.Module:
    layers: list[nn.Module] = []
    inputs = 784
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def _loss(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Return the book's mean loss if there is one output, or the cross-entropy if there are more."""
    if t.shape[1] > 1:
        return nn.functional.binary_cross_entropy_with_logits(z, t)
    p = z.sigmoid()
    return torch.where(t == 1, 1 - p, p).mean()
