"""What a saved network and the events of a run hold, read from those of a short run."""

import tempfile
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from book import writing
from tinygrad_mnist.app import main

WIDTH = 76
"""The number of letters of an event that are shown."""


def pages(digits: str) -> dict[str, str | bytes]:
    """Return a table of the arrays in a saved network, and the events of its training, by the names of their files."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "model.npz")
        options = ["--hidden", "30", "--epochs", "2", "--seed", "1", "--save", str(model), "--json"]
        result = CliRunner().invoke(main, ["train", "--data", digits, *options], catch_exceptions=False)
        if result.exit_code:
            raise RuntimeError(result.output)
        with np.load(model) as arrays:
            rows = [(f"`{name}`", str(array.dtype.type.__name__), str(array.shape)) for name, array in arrays.items()]
    events = [line if len(line) <= WIDTH else f"{line[:WIDTH]} …" for line in result.stdout.splitlines()]
    return {
        "checkpoint.inc": writing.table(("array", "type", "shape"), rows),
        "events.inc": writing.fence("text", "\n".join(events)),
    }
