"""How fast it trains, beside what a user would pick instead, on the same data and in one run.

    pip install -r requirements-bench.txt
    python benchmarks/speed.py --data DIR

Every contender does one epoch in turn, round after round, so that a noisy machine disturbs all of them alike; the table
has the medians, and the ratios of what was measured in the same round. Accuracies after some epochs show that all of
them learned the same thing. Takes about five minutes on two cores. Writes its section of RESULTS.md.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import peers
from results import machine, table, write_section

from tinygrad_mnist import datasets, network, train
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.train import Examples, Settings

ROOT = Path(__file__).parents[1]
BATCH = 256
Contender = Callable[[], object]


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False), help="A folder with MNIST.")
@click.option("--rounds", default=15, show_default=True)
def main(data: str, rounds: int) -> None:
    """Measure, and write the table."""
    pair, ten = (3, 7), tuple(range(10))
    linear, accuracies = _linear(datasets.load(data, pair), pair)
    hidden = _hidden(datasets.load(data, ten), ten)
    text = [
        f"{machine()}, PyTorch {peers.version()}. Float32, batch {BATCH}, rows shuffled anew each epoch.",
        "### A line between 3 and 7: one epoch over 12,396 digits",
        _compared(linear, rounds),
        "Test accuracy after 20 epochs: "
        + ", ".join(f"{name} {share:.2%}" for name, share in accuracies.items())
        + ".",
        "### 784-300-10: one epoch over 60,000 digits",
        _compared(hidden, max(3, rounds // 3)),
        "### The whole process",
        _compared(_processes(data), max(3, rounds // 2)),
    ]
    write_section("Speed", "\n\n".join(text))
    click.echo("\n\n".join(text))


def _examples(digits: Digits, which: tuple[int, ...]) -> Examples:
    return Examples(digits.pixels, digits.places, network.targets(digits.labels, which))


def _epoch(examples: Examples, settings: Settings) -> Contender:
    """Return one epoch of our own training, without the look at validation digits that the peers do without too."""
    few = Examples(examples.images, examples.rows[:1], examples.t[:1])
    return lambda: train.train(examples, few, settings)


def _linear(data: datasets.DataSet, digits: tuple[int, ...]) -> tuple[dict[str, Contender], dict[str, float]]:
    training, test = _examples(data.training, digits), _examples(data.test, digits)
    x, t = peers.floats(data.training), training.t.astype(np.float32)
    settings = Settings(learning_rate=1.0, batch=BATCH, epochs=1)
    w, z = np.zeros((784, 1), np.float32), np.ones((len(x), 1), np.float32)
    contenders: dict[str, Contender] = {
        "this project": _epoch(training, settings),
        "PyTorch, eager, index batches": lambda: peers.eager(x, t, (), BATCH, epochs=1),
        "PyTorch, DataLoader": lambda: peers.loader(x, t, BATCH),
        "scikit-learn SGDClassifier": lambda: peers.sgd_classifier(x, t),
        "roofline: x @ w and x.T @ z": lambda: (x @ w, x.T @ z),
    }
    x_test = peers.floats(data.test)
    trained = train.train(training, test, Settings(learning_rate=1.0, batch=BATCH, epochs=20, patience=20))
    model = peers.eager(x, t, (), BATCH, epochs=20)
    classifier = peers.sgd_classifier(x, t, epochs=20)
    accuracies = {
        "this project": train.measure(trained.best.parameters, test),
        "PyTorch": float(np.mean((peers.logits(model, x_test) > 0) == test.t)),
        "scikit-learn": float(classifier.score(x_test, test.t[:, 0])),
    }
    return contenders, accuracies


def _hidden(data: datasets.DataSet, digits: tuple[int, ...]) -> dict[str, Contender]:
    training = _examples(data.training, digits)
    x, t = peers.floats(data.training), training.t.astype(np.float32)
    settings = Settings(hidden=(300,), loss="cross-entropy", learning_rate=1.0, batch=BATCH, epochs=1)
    return {
        "this project": _epoch(training, settings),
        "PyTorch, eager, index batches": lambda: peers.eager(x, t, (300,), BATCH, epochs=1),
        "scikit-learn MLPClassifier": lambda: peers.mlp_classifier(x, data.training.labels, BATCH),
        "matrix products alone": lambda: peers.products(x, 300, 10, BATCH),
    }


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
        rows.append([name, f"{1000 * statistics.median(took):.2f}", f"{ratio:.2f}", f"{1 / ratio:.2f}"])
    return table(["what", "median, ms", "times as long as ours", "ours, as a multiple of it"], rows)


if __name__ == "__main__":
    main()
