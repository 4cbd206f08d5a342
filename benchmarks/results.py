"""RESULTS.md: one section for each benchmark, replaced when it is run again, and never by hand."""

import os
import platform
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("RESULTS.md")


def machine() -> str:
    """Return on what the numbers were measured, for people to judge them by."""
    import numpy as np

    model = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, NumPy {np.__version__}"


def write_section(title: str, text: str) -> None:
    """Put a section into RESULTS.md in place of the one of the same title, or behind the others."""
    whole = RESULTS.read_text() if RESULTS.exists() else "# Results\n\nWritten by the programs beside this file.\n"
    head, *sections = whole.split("\n## ")
    kept = [section for section in sections if not section.startswith(f"{title}\n")]
    place = next((i for i, section in enumerate(sections) if section.startswith(f"{title}\n")), len(kept))
    kept.insert(place, f"{title}\n\n{text.strip()}\n")
    RESULTS.write_text("\n## ".join([head.rstrip() + "\n", *(section.rstrip() + "\n" for section in kept)]))


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
