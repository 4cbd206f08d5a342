"""Compares the speed of training with that of PyTorch, JAX and scikit-learn, on the same data and in one run.

    pip install -r requirements-bench.txt
    python -m benchmarks.speed --data DIR

All programs take turns, one epoch each, round after round, so that a noisy machine disturbs all of them equally. The
accuracies after several epochs show that all of them learned the same. Takes five minutes on two cores. Also measures a
GPU if CuPy can use one. Writes its section of RESULTS.md.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import jax_peers, peers
from benchmarks.results import ROOT, machine, table, write_section
from tinygrad_mnist import datasets, metrics, train
from tinygrad_mnist.arrays.backend import Backend, choose_backend
from tinygrad_mnist.arrays.examples import Examples
from tinygrad_mnist.datasets.digits import Digits
from tinygrad_mnist.errors import BackendError
from tinygrad_mnist.networks import convolutional
from tinygrad_mnist.runs import presets
from tinygrad_mnist.runs.run import examples
from tinygrad_mnist.train import Settings

BATCH = 256
LINEAR = Settings(learning_rate=1.0, batch=BATCH, epochs=1)
HIDDEN = Settings(hidden=(300,), loss="cross-entropy", learning_rate=1.0, batch=BATCH, epochs=1)
CONVOLUTIONAL = replace(presets.quick(10), augment=False, schedule="constant", epochs=1, patience=1)

TOLERANCE = 0.01
"""The largest difference between the accuracies of networks that learned the same."""

CPU = choose_backend("numpy")

NOTE = (
    'The programs take turns, once each in a round. "Ours" is the first row of a table. "Theirs / ours" is the median '
    'over the rounds of the ratio of the two times, and "ours / theirs" is its inverse. "Fastest" compares the fastest '
    "rounds, which were disturbed least."
)

GPU_NOTE = (
    "A step of a small network takes a GPU as long as its launches, about 31 for the line and 50 for 784-300-10, so "
    "`auto` keeps small networks on the CPU. Two ways to need fewer launches are not used. `cupy.fuse` could compile "
    "the sigmoid, the losses and the updates into one kernel each, but no GPU has shown yet what that gains. CUDA "
    "graphs could launch a whole step at once, but CuPy cannot record calls of cuBLAS in one (cupy/cupy#6290)."
)

Program = Callable[[], Any]


class Task:
    """What all programs learn: which digits, by which network, with the data in the form that each program takes."""

    def __init__(self, source: str, digits: tuple[int, ...], settings: Settings) -> None:
        data = datasets.load(source, digits)
        self.digits, self.settings = digits, settings
        self.training, self.test = data.training, data.test
        self.x, self.x_test = peers.floats(self.training), peers.floats(self.test)
        self.t = metrics.targets(self.training.labels, digits).astype(np.float32)

    def examples(self, part: Digits, backend: Backend = CPU) -> Examples:
        """Return digits in the form that this project takes, on the backend's device."""
        return examples(part, self.digits, backend)


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False), help="A folder with MNIST.")
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(1), help="Rounds of the linear model.")
def main(data: str, rounds: int) -> None:
    """Measure, and write the tables."""
    pair, ten = Task(data, (3, 7), LINEAR), Task(data, tuple(range(10)), HIDDEN)
    text = [
        f"{machine()}, PyTorch {peers.version()}, JAX {jax_peers.version()}. Float32, batch {BATCH}, "
        "rows shuffled in each epoch.",
        NOTE,
        f"### Linear model, 3 and 7: one epoch of {len(pair.t):,} digits",
        _compare(_linear(pair), rounds),
        _accuracies(pair, epochs=20),
        f"### 784-300-10: one epoch of {len(ten.t):,} digits",
        _compare(_hidden(ten), max(3, rounds // 2)),
        _accuracies(ten, epochs=4),
        f"### Convolutional network {_sizes(CONVOLUTIONAL)}, all digits: one epoch of {len(ten.t):,} digits, batch "
        f"{CONVOLUTIONAL.batch}",
        _compare(_convolutional(ten), max(3, rounds // 3)),
        _convolutional_accuracies(ten),
        "### A complete process",
        _compare(_processes(data), max(3, rounds // 2)),
        "### GPU",
        _gpu(pair, ten, max(3, rounds // 3)),
        GPU_NOTE,
    ]
    write_section("Speed", "\n\n".join(text))
    click.echo("\n\n".join(text))


def _epoch(training: Examples, settings: Settings) -> Program:
    """Return one epoch of this project. It is validated on a single image, because the peers do not validate."""
    validation = Examples(training.images, training.rows[:1], training.t[:1])
    return lambda: train.train(training, validation, settings)


def _linear(task: Task) -> dict[str, Program]:
    x, t = task.x, task.t
    w, dz = np.zeros((x.shape[1], 1), np.float32), np.ones((len(x), 1), np.float32)
    return {
        "this project": _epoch(task.examples(task.training), LINEAR),
        "PyTorch, eager, index batches": lambda: peers.eager(x, t, (), BATCH, epochs=1),
        "PyTorch, torch.compile": peers.compiled(x, t, BATCH),
        "JAX, jit of a scan": jax_peers.linear_epoch(x, t, BATCH, LINEAR.learning_rate),
        "PyTorch, DataLoader": lambda: peers.loader(x, t, BATCH),
        "scikit-learn SGDClassifier": lambda: peers.sgd_classifier(x, t),
        "roofline: x @ w and x.T @ dz": lambda: (x @ w, x.T @ dz),
    }


def _hidden(task: Task) -> dict[str, Program]:
    x, t, labels, (width,) = task.x, task.t, task.training.labels, HIDDEN.hidden
    return {
        "this project": _epoch(task.examples(task.training), HIDDEN),
        "PyTorch, eager, index batches": lambda: peers.eager(x, t, HIDDEN.hidden, BATCH, epochs=1),
        "scikit-learn MLPClassifier": lambda: peers.mlp_classifier(x, labels, BATCH, epochs=1),
        "matrix products only": lambda: peers.products(x, width, t.shape[1], BATCH),
    }


def _convolutional(task: Task) -> dict[str, Program]:
    settings, x, t = CONVOLUTIONAL, task.x, task.t
    sizes = (x.shape[1], *settings.features, *settings.hidden, t.shape[1])
    start = convolutional.initialize(sizes, np.random.default_rng(0), "float32")
    # The convolutions have 12 by 12 and 4 by 4 rows for an image, and the other layers have one.
    places = [144, 16, *(1 for _ in start[2:])]
    batch, rate = settings.batch, settings.learning_rate
    eager = partial(peers.convolutional, x, t, settings.features, settings.hidden, batch, rate)
    return {
        "this project": _epoch(task.examples(task.training), settings),
        "PyTorch, eager, index batches": partial(eager, epochs=1),
        "JAX, jit of a scan": jax_peers.convolutional_epoch(x, t, [tuple(layer) for layer in start], batch, rate),
        "matrix products only": partial(
            peers.convolutional_products, convolutional.weight_shapes(sizes), places, batch, len(x)
        ),
    }


def _convolutional_accuracies(task: Task) -> str:
    """Return each program's test accuracy after an epoch, and raise ClickException as `_accuracies` does."""
    programs, labels = _convolutional(task), task.test.labels
    trained = train.train(task.examples(task.training), task.examples(task.test), CONVOLUTIONAL)
    pytorch = peers.logits(programs["PyTorch, eager, index batches"](), task.x_test)
    of_jax = jax_peers.logits(programs["JAX, jit of a scan"](), task.x_test)
    accuracies = {
        "this project": trained.last.valid_accuracy,
        "PyTorch": float(np.mean(pytorch.argmax(axis=1) == labels)),
        "JAX": float(np.mean(of_jax.argmax(axis=1) == labels)),
    }
    return _listed(accuracies, epochs=1)


def _sizes(settings: Settings) -> str:
    return "-".join(map(str, (784, *settings.features, *settings.hidden, 10)))


def _accuracies(task: Task, epochs: int) -> str:
    """Return each program's test accuracy after some epochs. Raises ClickException if they differ too much."""
    x, t, x_test, labels = task.x, task.t, task.x_test, task.test.labels
    settings = replace(task.settings, epochs=epochs, patience=epochs)
    test = task.examples(task.test)
    ours = train.train(task.examples(task.training), test, settings)
    pytorch = peers.logits(peers.eager(x, t, settings.hidden, BATCH, epochs), x_test)
    if settings.hidden:
        sklearn = peers.mlp_classifier(x, task.training.labels, BATCH, epochs).score(x_test, labels)
    else:
        sklearn = peers.sgd_classifier(x, t, epochs).score(x_test, test.t[:, 0])
    accuracies = {
        "this project": ours.last.valid_accuracy,
        "PyTorch": metrics.accuracy(pytorch, test.t),
        "scikit-learn": sklearn,
    }
    return _listed(accuracies, epochs)


def _listed(accuracies: dict[str, float], epochs: int) -> str:
    """Return the accuracies as a sentence. Raises ClickException if they differ too much."""
    listed = ", ".join(f"{name} {accuracy:.2%}" for name, accuracy in accuracies.items())
    if max(accuracies.values()) - min(accuracies.values()) > TOLERANCE:
        raise click.ClickException(f"The test accuracies after {epochs} epochs differ too much: {listed}.")
    return f"Test accuracy after {epochs} epochs: {listed}."


def _gpu(pair: Task, ten: Task, rounds: int) -> str:
    """Return the tables of one epoch on the CPU, on a GPU, and in PyTorch on it, or a sentence if there is no GPU."""
    try:
        gpu = choose_backend("cupy")
    except BackendError:
        return "Not measured: CuPy cannot use a GPU on this machine. `python cli.py devices` shows why."
    tables = []
    for name, task, batch in (("Linear model", pair, 64), ("784-300-10", ten, BATCH), ("784-300-10", ten, 4096)):
        settings, programs = replace(task.settings, batch=batch), dict[str, Program]()
        for backend in (CPU, gpu):
            programs[backend.description] = _epoch(task.examples(task.training, backend), settings)
        if peers.has_cuda():
            programs["PyTorch, eager, CUDA"] = partial(
                peers.eager, task.x, task.t, settings.hidden, batch, epochs=1, device="cuda"
            )
        tables.append(f"{name}, batch {batch}:\n\n{_compare(programs, rounds)}")
    return "\n\n".join(tables)


def _processes(data: str) -> dict[str, Program]:
    def run(*arguments: str) -> Program:
        return lambda: subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, check=True)

    return {
        "`python cli.py train`": run("cli.py", "train", "-q", "--data", str(Path(data).resolve())),
        '`python -c "import torch"`': run("-c", "import torch"),
    }


def _compare(programs: dict[str, Program], rounds: int) -> str:
    """Return the table of times, and of their ratios to the time of the first program."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            # Run it once unmeasured: the previous program's threads may still spin, and the caches hold its data.
            program()
            begun = time.perf_counter()
            program()
            seconds[name].append(time.perf_counter() - begun)
    ours = next(iter(seconds.values()))
    rows = []
    for name, theirs in seconds.items():
        milliseconds = [f"{1000 * statistic(theirs):.2f}" for statistic in (statistics.median, min)]
        median = statistics.median(their / our for their, our in zip(theirs, ours, strict=True))
        ratios = (median, 1 / median, min(theirs) / min(ours), min(ours) / min(theirs))
        rows.append([name, *milliseconds, *(f"{ratio:.2f}" for ratio in ratios)])
    ratio_names = ["theirs / ours", "ours / theirs", "theirs / ours, fastest", "ours / theirs, fastest"]
    return table(["program", "median, ms", "fastest, ms", *ratio_names], rows)


if __name__ == "__main__":
    main()
