"""Measures the memory and time of training on a file that is too large to be read into memory.

    python -m benchmarks.memory --data DIR [--digits 8000000] [--folder FOLDER]

Repeats MNIST's threes and sevens in one plain IDX file (6 GB for 8 million digits), in a temporary folder that is
removed at the end. Trains on it with the command line, and meanwhile measures the anonymous part of the process's
resident memory. The pages of a memory-mapped file are not part of it: they belong to the page cache, and the system
takes them back when it needs them. For comparison, trains the same linear model on the original digits in memory. Takes
two minutes. Writes its section of RESULTS.md. Runs only on Linux.
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

OPTIONS = ("--json", "--batch", "256", "--lr", "1", "--seed", "0", "--patience", "100")


class Measurement(NamedTuple):
    """What one training run needed, and what it reached."""

    anonymous: int  # the largest value during the run, in kilobytes
    microseconds: float  # per digit and epoch
    accuracy: float  # on the test digits, from 0 to 1


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False), help="A folder with MNIST.")
@click.option("--digits", default=8_000_000, show_default=True, type=click.IntRange(2), help="Digits in the file.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False), help="Where to put the temporary folder.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Runs on each data set.")
def main(data: str, digits: int, folder: str | None, rounds: int) -> None:
    """Measure, and write the table."""
    small = datasets.load(data, (3, 7))
    with tempfile.TemporaryDirectory(dir=folder) as name:
        large = Path(name)
        for file, array in zip(mnist.TEST, (small.test.images, small.test.labels), strict=True):
            idx.write(large / file, array)
        _repeat(small.training, large, digits)
        # The two take turns, so that a noisy machine disturbs both equally.
        pairs = [(train(data, epochs=20), train(str(large), epochs=1)) for _ in range(rounds)]
    in_memory, in_file = zip(*pairs, strict=True)
    rows = [_row(f"{len(small.training.labels):,} digits in memory", in_memory), _row(f"{digits:,} in a file", in_file)]
    ratio = float(np.median([file.microseconds / memory.microseconds for memory, file in pairs]))
    header = ["training digits", "memory without the page cache, MB", "microseconds per digit", "test accuracy"]
    text = (
        f"{machine()}. Linear model, 3 and 7, batch 256. Medians of {rounds} runs each, in turn.\n\n"
        f"{table(header, rows)}\n\n"
        f"A digit from the file takes {ratio:.2f} times as long as a digit from memory."
    )
    write_section("Memory", text)
    click.echo(text)


def train(data: str, epochs: int) -> Measurement:
    """Train in a separate process, and measure it."""
    folder = str(Path(data).resolve())
    command = [sys.executable, "cli.py", "train", "--data", folder, "--epochs", str(epochs), *OPTIONS]
    anonymous = 0
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.poll() is None:
            anonymous = max(anonymous, _anonymous(process.pid))
            time.sleep(0.01)
        start, *_, result = map(json.loads, process.stdout)
    seconds = result["seconds"] / result["epochs"] / start["training"]
    return Measurement(anonymous, 1e6 * seconds, result["test_accuracy"])


def _anonymous(process: int) -> int:
    """Return the resident memory of a process that belongs to no file, in kilobytes; 0 if the process has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")), 0)


def _repeat(digits: Digits, folder: Path, count: int) -> None:
    """Write MNIST's training files with this many digits, repeating the given ones."""
    for name, array in zip(mnist.TRAINING, (digits.images, digits.labels), strict=True):
        part: NDArray[np.uint8] = array
        with (folder / name).open("wb") as file:
            file.write(idx.header(np.broadcast_to(part[:1], (count, *part.shape[1:]))))
            for first in range(0, count, len(part)):
                file.write(part[: count - first].data)


def _row(name: str, runs: tuple[Measurement, ...]) -> list[str]:
    anonymous, microseconds, accuracy = np.median(runs, axis=0)
    return [name, f"{anonymous / 1000:.0f}", f"{microseconds:.2f}", f"{100 * accuracy:.2f} %"]


if __name__ == "__main__":
    main()
