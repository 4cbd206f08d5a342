"""How much memory training takes on a file larger than memory is good for, and what that costs in time.

    python -m benchmarks.memory --data DIR [--digits 8000000] [--folder FOLDER]

Writes MNIST's threes and sevens again and again into one plain IDX file (6 GB for 8 million) in a folder that is
removed afterwards, trains on it by the command line, and looks at the process meanwhile. Counted is the anonymous part
of resident memory: the pages of a mapped file are the page cache's, which the system takes back when it needs them.
Beside it, the same line is trained on the digits in memory. Takes two minutes. Writes its section of RESULTS.md. Linux.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.results import ROOT, machine, table, write_section
from tinygrad_mnist import datasets
from tinygrad_mnist.datasets import idx, mnist
from tinygrad_mnist.datasets.digits import Digits

TRAIN = ("--json", "--batch", "256", "--lr", "1", "--seed", "0", "--patience", "100")
ROUNDS = 3


class Run(NamedTuple):
    """What one training took."""

    anonymous: int  # the most at any moment, in kilobytes
    microseconds: float  # per digit and epoch
    accuracy: float


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False), help="A folder with MNIST.")
@click.option("--digits", default=8_000_000, show_default=True, help="How many digits to put into the file.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False), help="Where there is room for it.")
def main(data: str, digits: int, folder: str | None) -> None:
    """Measure, and write the table."""
    small = datasets.load(data, (3, 7))
    with tempfile.TemporaryDirectory(dir=folder) as name:
        large = Path(name)
        for file, array in zip(mnist.TEST, (small.test.images, small.test.labels), strict=True):
            idx.write(large / file, array)
        _repeat(small.training, large, digits)
        # In turn, so that a noisy machine disturbs both alike.
        pairs = [(train(data, epochs=20), train(str(large), epochs=1)) for _ in range(ROUNDS)]
    rows = [
        _row(name, [pair[which] for pair in pairs])
        for which, name in enumerate((f"{len(small.training.labels):,} digits in memory", f"{digits:,} in a file"))
    ]
    ratio = float(np.median([there.microseconds / here.microseconds for here, there in pairs]))
    text = (
        f"{machine()}. A line between 3 and 7, batch 256. Medians of {ROUNDS} runs in turn.\n\n"
        + table(["trained on", "memory beyond the page cache, MB", "us per digit", "test accuracy"], rows)
        + f"\n\nA digit from the file takes {ratio:.2f} times as long as one from memory, which is "
        "trained on without the pixels that are paper in all images."
    )
    write_section("Memory", text)
    click.echo(text)


def train(data: str, epochs: int) -> Run:
    """Train in a process of its own, and watch it."""
    words = [sys.executable, "cli.py", "train", "--data", str(Path(data).resolve()), "--epochs", str(epochs), *TRAIN]
    most = 0
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.poll() is None:
            most = max(most, _anonymous(process.pid))
            time.sleep(0.01)
        start, *_, result = map(json.loads, process.stdout)
    seconds = result["seconds"] / result["epochs"] / start["training"]
    return Run(most, 1e6 * seconds, result["test_accuracy"])


def _anonymous(process: int) -> int:
    """Return a process's resident memory that belongs to no file, in kilobytes; 0 once it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")), 0)


def _repeat(digits: Digits, folder: Path, count: int) -> None:
    """Write the digits again and again, until there are so many of them, as MNIST's training files."""
    for name, array in zip(mnist.TRAINING, (digits.images, digits.labels), strict=True):
        part: NDArray[np.uint8] = array
        with (folder / name).open("wb") as file:
            file.write(idx.header(np.broadcast_to(part[:1], (count, *part.shape[1:]))))
            for first in range(0, count, len(part)):
                file.write(part[: count - first].data)


def _row(name: str, runs: list[Run]) -> list[str]:
    anonymous, microseconds, accuracy = np.median(runs, axis=0)
    return [name, f"{anonymous / 1000:.0f}", f"{microseconds:.2f}", f"{100 * accuracy:.2f} %"]


if __name__ == "__main__":
    main()
