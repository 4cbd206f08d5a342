"""The results of the benchmarks, as the programs in benchmarks/ wrote them, with a plot of every run."""

import json
import re
from pathlib import Path

from book import drawing

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def pages() -> dict[str, str | bytes]:
    """Return the page and its plots, by the names of their files."""
    results = (BENCHMARKS / "RESULTS.md").read_text("utf-8")
    results = re.sub(r"!\[(.*?)\]\(growth\.png\)", r"", results)
    _, _, sections = results.partition("\n## ")
    runs = json.loads((BENCHMARKS / "accuracy.json").read_text("utf-8"))
    text = (
        "# Results of the benchmarks\n\nThe programs in `benchmarks/` wrote these tables.\n\n"
        ":::{figure} accuracy.svg\n:class: plot\n:alt: The error of every run\n\n"
        "The share of test digits that each run gets wrong, one dot for each seed.\n:::\n\n"
        ":::{figure} growth.png\n:class: plot\n:alt: Speed by the size of the network\n\n"
        "How the time of an epoch grows with the network.\n:::\n\n"
        f"## {sections}"
    )
    return {
        "benchmarks.md": text,
        "accuracy.svg": drawing.accuracies(runs),
        "growth.png": (BENCHMARKS / "growth.png").read_bytes(),
    }
