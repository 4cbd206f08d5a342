"""Writes RESULTS.md: one section for each benchmark, replaced when it is run again. Never edit the numbers by hand."""

import os
import platform
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = "# Results\n\nThe programs in this folder write this file.\n"


def machine() -> str:
    """Return a short description of this machine and of the software that was measured on it."""
    model = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, NumPy {np.__version__}"


def write_section(title: str, text: str) -> None:
    """Write a section of RESULTS.md. It replaces the section of the same title, or else is added at the end."""
    _, *sections = (RESULTS.read_text() if RESULTS.exists() else HEAD).split("\n## ")
    position = next((i for i, section in enumerate(sections) if section.startswith(f"{title}\n")), len(sections))
    sections[position : position + 1] = [f"{title}\n\n{text}"]
    RESULTS.write_text("\n## ".join([HEAD, *(f"{section.strip()}\n" for section in sections)]))


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
