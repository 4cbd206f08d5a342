"""How fast it trains, beside what a user would pick instead, on the same data and in one run.

    pip install -r requirements-bench.txt
    python -m benchmarks.speed --data DIR

Every contender does one epoch in turn, round after round, so that a noisy machine disturbs all of them alike; the table
has the medians, and the medians of the ratios within a round; and the same of the fastest rounds, which were disturbed
least. Accuracies after some epochs show that all of them learned the same thing. Takes two minutes on two cores, and
measures a GPU too where one answers. Writes its section of RESULTS.md.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.results import ROOT, machine, table, write_section
from tinygrad_mnist import backend, datasets, network, train
from tinygrad_mnist.backend import Backend
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.metrics import accuracy
from tinygrad_mnist.train import Examples, Settings

BATCH = 256
LINE = Settings(learning_rate=1.0, batch=BATCH, epochs=1)
HIDDEN = Settings(hidden=(300,), loss="cross-entropy", learning_rate=1.0, batch=BATCH, epochs=1)

NOISE = 0.01
"""By how much the accuracies of networks that learned the same thing may differ."""

HERE = backend.choose("numpy")

Contender = Callable[[], object]


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False), help="A folder with MNIST.")
@click.option("--rounds", default=15, show_default=True)
def main(data: str, rounds: int) -> None:
    """Measure, and write the table."""
    two, ten = datasets.load(data, (3, 7)), datasets.load(data, range(10))
    text = [
        f"{machine()}, PyTorch {peers.version()}. Float32, batch {BATCH}, rows shuffled anew each epoch. "
        "This project leaves out the pixels that are paper in every training image, as `train` does: of 784, it takes "
        f"{_inked(two.training).images.shape[1]} for the line and {_inked(ten.training).images.shape[1]} for all "
        "digits. The others take all of them.",
        "### A line between 3 and 7: one epoch over 12,396 digits",
        _compared(_linear(two), rounds),
        _alike(two, LINE, epochs=20),
        "### 784-300-10: one epoch over 60,000 digits",
        _compared(_hidden(ten), max(3, rounds // 2)),
        _alike(ten, HIDDEN, epochs=4),
        "### The whole process",
        _compared(_processes(data), max(3, rounds // 2)),
        "### A GPU",
        _gpu(ten, max(3, rounds // 3)),
    ]
    write_section("Speed", "\n\n".join(text))
    click.echo("\n\n".join(text))


def _examples(digits: Digits) -> Examples:
    return Examples(digits.pixels, digits.places, _targets(digits))


def _inked(digits: Digits) -> Examples:
    """Return what `train` learns from: without the pixels that are paper in all images, which the peers keep."""
    pixels, places, inked = digits.without_paper()
    return Examples(pixels, places, _targets(digits), inked)


def _targets(digits: Digits) -> NDArray[np.uint8]:
    which = (3, 7) if len(np.unique(digits.labels)) == 2 else range(10)
    t: NDArray[np.uint8] = network.targets(digits.labels, which)
    return t


def _epoch(training: Examples, settings: Settings, place: Backend = HERE) -> Contender:
    """Return one epoch of our own training, which looks at one image at its end, where the peers look at none."""
    blank = np.zeros((1, training.pixels), np.uint8), np.zeros(1, np.intp), training.t[:1]
    there, one = training.moved(place.place), Examples(*blank).moved(place.place)
    return lambda: train.train(there, one, settings)


def _linear(data: DataSet) -> dict[str, Contender]:
    x, t = peers.floats(data.training), _targets(data.training).astype(np.float32)
    w, z = np.zeros((784, 1), np.float32), np.ones((len(x), 1), np.float32)
    training = _inked(data.training)
    x_inked, w_inked = np.compress(training.inked, x, axis=1), w[training.inked]
    return {
        "this project": _epoch(training, LINE),
        "this project, with all pixels": _epoch(_examples(data.training), LINE),
        "PyTorch, eager, index batches": lambda: peers.eager(x, t, (), BATCH, epochs=1),
        "PyTorch, DataLoader": lambda: peers.loader(x, t, BATCH),
        "scikit-learn SGDClassifier": lambda: peers.sgd_classifier(x, t),
        "roofline: x @ w and x.T @ z": lambda: (x @ w, x.T @ z),
        "the same without the paper": lambda: (x_inked @ w_inked, x_inked.T @ z),
    }


def _hidden(data: DataSet) -> dict[str, Contender]:
    x, t = peers.floats(data.training), _targets(data.training).astype(np.float32)
    training = _inked(data.training)
    x_inked = np.compress(training.inked, x, axis=1)
    return {
        "this project": _epoch(training, HIDDEN),
        "this project, with all pixels": _epoch(_examples(data.training), HIDDEN),
        "PyTorch, eager, index batches": lambda: peers.eager(x, t, HIDDEN.hidden, BATCH, epochs=1),
        "scikit-learn MLPClassifier": lambda: peers.mlp_classifier(x, data.training.labels, BATCH, epochs=1),
        "matrix products alone": lambda: peers.products(x, *HIDDEN.hidden, 10, BATCH),
        "the same without the paper": lambda: peers.products(x_inked, *HIDDEN.hidden, 10, BATCH),
    }


def _alike(data: DataSet, settings: Settings, epochs: int) -> str:
    """Return what all have learned after some epochs; end in an error where it is not the same within noise."""
    x, t = peers.floats(data.training), _targets(data.training).astype(np.float32)
    x_test, test = peers.floats(data.test), _examples(data.test)
    ours = train.train(_inked(data.training), test, replace(settings, epochs=epochs, patience=epochs))
    pytorch = peers.logits(peers.eager(x, t, settings.hidden, BATCH, epochs), x_test)
    if settings.hidden:
        sklearn = peers.mlp_classifier(x, data.training.labels, BATCH, epochs).score(x_test, data.test.labels)
    else:
        sklearn = peers.sgd_classifier(x, t, epochs).score(x_test, test.t[:, 0])
    shares = {"this project": ours.last.valid_accuracy, "PyTorch": accuracy(pytorch, test.t), "scikit-learn": sklearn}
    said = f"Test accuracy after {epochs} epochs: " + ", ".join(f"{name} {s:.2%}" for name, s in shares.items())
    if max(shares.values()) - min(shares.values()) > NOISE:
        raise click.ClickException(f"They did not learn the same thing. {said}.")
    return f"{said}."


def _gpu(data: DataSet, rounds: int) -> str:
    """Return the table of one epoch of 784-300-10 here and on a GPU, or why there is none."""
    try:
        place = backend.choose("cupy")
    except BackendError as error:
        return f"Not measured, for want of one. {error}"
    contenders: dict[str, Contender] = {}
    training = _inked(data.training)
    for batch in (BATCH, 4096):
        settings = replace(HIDDEN, batch=batch)
        contenders[f"NumPy, batch {batch}"] = _epoch(training, settings)
        contenders[f"{place.description}, batch {batch}"] = _epoch(training, settings, place)
    return _compared(contenders, rounds)


def _processes(data: str) -> dict[str, Contender]:
    def run(*words: str) -> Contender:
        return lambda: subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, check=True)

    return {
        "`python cli.py train`": run("cli.py", "train", "-q", "--data", data),
        '`python -c "import torch"`': run("-c", "import torch"),
    }


def _compared(contenders: dict[str, Contender], rounds: int) -> str:
    """Return the table of medians, and of the medians of each round's ratio to the first contender."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            # Once without the clock: the threads of the one before are still spinning, and its data is in the cache.
            contender()
            begun = time.perf_counter()
            contender()
            seconds[name].append(time.perf_counter() - begun)
    ours = next(iter(seconds.values()))
    rows = []
    for name, took in seconds.items():
        ratio = statistics.median(theirs / our for theirs, our in zip(took, ours, strict=True))
        quiet = min(took) / min(ours)
        milliseconds = [f"{1000 * statistic(took):.2f}" for statistic in (statistics.median, min)]
        rows.append([name, *milliseconds, f"{ratio:.2f}", f"{1 / ratio:.2f}", f"{quiet:.2f}", f"{1 / quiet:.2f}"])
    ratios = ["times as long as ours", "ours, as a multiple"]
    return table(["what", "median, ms", "fastest, ms", *ratios, *(f"{ratio}, fastest" for ratio in ratios)], rows)


if __name__ == "__main__":
    main()
