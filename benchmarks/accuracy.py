"""How well each kind of network reads MNIST's test digits: five seeds each, by the command line that users run.

    python -m benchmarks.accuracy --data DIR [--row NAME]...

The test digits are looked at once a run, at its end; every choice was made on held-out training digits. Writes its
section of RESULTS.md, from this run and from what accuracy.json remembers of rows that were not asked for. Everything
takes about forty minutes on two cores, most of it for the ten digits by the strongest preset.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import click

from benchmarks.results import ROOT, machine, table, write_section

REMEMBERED = Path(__file__).with_name("accuracy.json")


class Row(NamedTuple):
    """A kind of run: the words behind `train`, what it must reach, and what others reach."""

    words: str
    asked: float
    reference: str


ROWS = {
    "line": Row("", 0.983, "the book's linear model 97.85 %"),
    "784-30-1": Row("--hidden 30", 0.983, "the book 98.28 %"),
    "chapter": Row("--preset chapter", 0.98, "the book 98.28 %, of its best epoch on the test digits"),
    "best 3-7": Row("--preset best", 0.9980, "ResNet-18 99.71 %"),
    "best 4-9": Row("--preset best --digits 4,9", 0.995, "-"),
    "best 5-8": Row("--preset best --digits 5,8", 0.995, "-"),
    "best 3-5": Row("--preset best --digits 3,5", 0.995, "-"),
    "line 0-9": Row("--digits 0-9", 0.915, "logistic regression 92 %"),
    "best 0-9": Row("--preset best --digits 0-9", 0.992, "Simard's two layers with distortions 99.3 %"),
}


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False), help="A folder with MNIST.")
@click.option("--row", "names", multiple=True, type=click.Choice(list(ROWS)), help="Only these rows; may be repeated.")
@click.option("--seeds", default=5, show_default=True, help="How many runs of each, with seeds from 0.")
def main(data: str, names: tuple[str, ...], seeds: int) -> None:
    """Train every row with each seed, and write the table."""
    remembered: dict[str, list[dict[str, Any]]] = json.loads(REMEMBERED.read_text()) if REMEMBERED.exists() else {}
    for name in names or ROWS:
        remembered[name] = []
        for seed in range(seeds):
            remembered[name].append(_run(ROWS[name], data, seed))
            click.echo(f"{name}: {remembered[name][-1]}", err=True)
        REMEMBERED.write_text(json.dumps(remembered, indent=1) + "\n")
    write(remembered)


def write(remembered: dict[str, list[dict[str, Any]]]) -> None:
    """Write the section of RESULTS.md from all runs that are remembered."""
    rows = [_row(name, remembered[name]) for name in ROWS if name in remembered]
    header = ["run", "`train` with", "seeds", "minimum", "median", "maximum", "asked", "seconds", "reference"]
    write_section("Accuracy on MNIST's test digits", f"{machine()}. Float32.\n\n{table(header, rows)}")


def _run(row: Row, data: str, seed: int) -> dict[str, Any]:
    words = [sys.executable, "cli.py", "train", "--json", "--data", str(Path(data).resolve()), "--seed", str(seed)]
    said = subprocess.run([*words, *row.words.split()], cwd=ROOT, capture_output=True, text=True, check=True)
    result = json.loads(said.stdout.splitlines()[-1])
    return {key: result[key] for key in ("seed", "test_accuracy", "seconds", "epochs")}


def _row(name: str, runs: list[dict[str, Any]]) -> list[str]:
    accuracies = [run["test_accuracy"] for run in runs]
    figures = [f"{100 * f(accuracies):.3f} %" for f in (min, statistics.median, max)]
    seconds = statistics.median(run["seconds"] for run in runs)
    row = ROWS[name]
    return [
        *(name, f"`{row.words}`" if row.words else "nothing", ", ".join(str(run["seed"]) for run in runs), *figures),
        *(f"{100 * row.asked:.2f} %", f"{seconds:.1f}", row.reference),
    ]


if __name__ == "__main__":
    main()
