"""Measures the accuracy of each kind of network on MNIST's test digits: five seeds each, with the command line.

    python -m benchmarks.accuracy --data DIR [--row NAME]... [--first-seed N] [--seeds N]

A run looks at the test digits only once, at its end; all choices were made on held-out training digits. Writes its
section of RESULTS.md. Rows that are not measured keep their earlier runs, which are in accuracy.json. All rows take
about an hour on two cores, most of it for "best 0-9". With OPENBLAS_NUM_THREADS=1, two rows can be measured at once.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import click

from benchmarks.results import ROOT, machine, table, write_section

SAVED_RUNS = Path(__file__).with_name("accuracy.json")

Runs = dict[str, list[dict[str, Any]]]
"""The results of each row's runs, by the name of the row."""


class Row(NamedTuple):
    """A kind of run: the options of `train`, the required accuracy, and what others reached."""

    options: str
    required: float
    reference: str


ROWS = {
    "linear": Row("", 0.983, "the book's linear model 97.85 %"),
    "784-30-1": Row("--hidden 30", 0.983, "the book 98.28 %"),
    "chapter": Row("--preset chapter", 0.98, "the book 98.28 %, in its best epoch on the test digits"),
    "best 3-7": Row("--preset best", 0.9980, "ResNet-18 99.71 %"),
    "best 4-9": Row("--preset best --digits 4,9", 0.996, "-"),
    "best 5-8": Row("--preset best --digits 5,8", 0.995, "-"),
    "best 3-5": Row("--preset best --digits 3,5", 0.995, "-"),
    "linear 0-9": Row("--digits 0-9", 0.915, "logistic regression 92 %"),
    "quick 0-9": Row("--preset quick --digits 0-9", 0.99, "-"),
    "best 0-9": Row("--preset best --digits 0-9", 0.9955, "Simard's small convolutional network 99.6 %"),
}


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False), help="A folder with MNIST.")
@click.option("--row", "names", multiple=True, type=click.Choice(list(ROWS)), help="Measure only this row; repeatable.")
@click.option("--first-seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of the first run.")
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1), help="Runs of each row.")
def main(data: str, names: tuple[str, ...], first_seed: int, seeds: int) -> None:
    """Train each row with each seed, and write the table."""
    runs: Runs = json.loads(SAVED_RUNS.read_text()) if SAVED_RUNS.exists() else {}
    for name in names or ROWS:
        runs[name] = []
        for seed in range(first_seed, first_seed + seeds):
            runs[name].append(_run(ROWS[name], data, seed))
            click.echo(f"{name}: {runs[name][-1]}", err=True)
        SAVED_RUNS.write_text(json.dumps(runs, indent=1) + "\n")
    write(runs)


def write(runs: Runs) -> None:
    """Write the section of RESULTS.md."""
    rows = [_row(name, runs[name]) for name in ROWS if name in runs]
    header = [
        "row",
        "`train` options",
        "seeds",
        "minimum",
        "median",
        "maximum",
        "required",
        "seconds",
        "threads",
        "reference",
    ]
    write_section("Accuracy on MNIST's test digits", f"{machine()}. Float32.\n\n{table(header, rows)}")


def _run(row: Row, data: str, seed: int) -> dict[str, Any]:
    command = [sys.executable, "cli.py", "train", "--json", "--data", str(Path(data).resolve()), "--seed", str(seed)]
    process = subprocess.run([*command, *row.options.split()], cwd=ROOT, capture_output=True, text=True, check=True)
    result = json.loads(process.stdout.splitlines()[-1])
    found = {key: result[key] for key in ("seed", "test_accuracy", "seconds", "epochs")}
    return found | {"threads": os.environ.get("OPENBLAS_NUM_THREADS", "all")}


def _row(name: str, runs: list[dict[str, Any]]) -> list[str]:
    accuracies = [run["test_accuracy"] for run in runs]
    figures = [f"{100 * f(accuracies):.3f} %" for f in (min, statistics.median, max)]
    seconds = statistics.median(run["seconds"] for run in runs)
    row = ROWS[name]
    return [
        *(name, f"`{row.options}`" if row.options else "none", ", ".join(str(run["seed"]) for run in runs), *figures),
        *(f"{100 * row.required:.2f} %", f"{seconds:.1f}", runs[0]["threads"], row.reference),
    ]


if __name__ == "__main__":
    main()
