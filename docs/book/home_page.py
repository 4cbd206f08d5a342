"""The run on the first page: what `python cli.py train` prints, and its plot."""

import tempfile
from pathlib import Path

from click.testing import CliRunner

from book import writing
from tinygrad_mnist.app import main

SEED = ("--seed", "4242")
"""Makes every build show the same run."""


def pages(digits: str) -> dict[str, str | bytes]:
    """Return the output of a training run and its plot, by the names of their files."""
    with tempfile.TemporaryDirectory() as folder:
        plot = Path(folder, "training.svg")
        result = CliRunner().invoke(
            main, ["train", *SEED, "--data", digits, "--plot", str(plot)], catch_exceptions=False
        )
        if result.exit_code:
            raise RuntimeError(result.output)
        lines = [line for line in result.output.splitlines() if str(plot) not in line]
        run = writing.fence("console", "\n".join([f"$ python cli.py train {' '.join(SEED)}", *lines]))
        return {"run.inc": run, "training.svg": plot.read_bytes()}
