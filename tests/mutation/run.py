"""Mutation testing: spoil the passes and the network in every small way, and see whether a test objects.

    python tests/mutation/run.py

Works on copies of the checkout, one for each processor, and never in it. README.md beside this file says the rest.
"""

import multiprocessing
import os
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import operators
from cosmic_ray import plugins
from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome

ROOT = Path(__file__).resolve().parents[2]
MUTATED = ["tinygrad_mnist/network.py", "tinygrad_mnist/passes"]
# The near tests are quick and kill nearly all; only what survives them meets the others. tests/test_layers.py is left
# out on purpose: it compares source text, and would kill every mutant of a backward without looking at a number.
NEAR = ["tests/passes", "tests/test_network.py", *MUTATED]
FAR = ["tests/test_gradcheck.py", "tests/witnesses"]
SECONDS = 120  # a mutant that takes longer counts as killed; unspoiled, all the tests take about 20


class Mutant(NamedTuple):
    """One small change, known by what it does to the text, so that it keeps its name when lines move."""

    file: str
    function: str
    before: str
    after: str


class Result(NamedTuple):
    """What became of a mutant; `outcome` is killed, survived, or what went wrong."""

    mutant: Mutant
    outcome: str
    diff: str


plugins.OPERATOR_PROVIDERS["arrays"] = operators.OPERATORS


def test_command() -> str:
    """Return the command that fails where one of the tests does."""
    # Plain asserts halve the time: pytest would rewrite every test file anew for each mutant, to explain its failure.
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "--assert=plain", "-p", "no:cacheprovider"]
    runs = [shlex.join([*pytest, *filter(os.path.exists, tests)]) for tests in (NEAR, FAR)]
    return shlex.join(["sh", "-c", " && ".join(runs)])


def enter_a_copy(scratch: str) -> None:
    """Copy what git knows or would add to a folder of this process's own, and go there."""
    copy = tempfile.mkdtemp(dir=scratch)
    command = shlex.split("git ls-files -co --exclude-standard -z")
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, said.stdout.split("\0")):
        if (ROOT / name).is_file():  # not deleted since
            target = Path(copy, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    os.chdir(copy)


def specifications() -> list[MutationSpec]:
    """Return every mutation that some operator can make of the files."""
    database = WorkDB("mutants.sqlite", WorkDB.Mode.create)
    files = [path for name in MUTATED for path in (sorted(Path(name).glob("*.py")) or [Path(name)])]
    init(files, database, {})
    return [item.mutations[0] for item in database.work_items]


def outcome(specification: MutationSpec) -> Result:
    """Spoil this process's copy, run the tests, and put it back."""
    result = mutate_and_test([specification], test_command(), SECONDS)
    diff = result.diff or result.output or ""
    lines = diff.splitlines()[3:]  # behind the names of the files
    # A mutant of a file's last line has an empty line in its diff as well.
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)).strip() for sign in "-+")
    mutant = Mutant(specification.module_path.as_posix(), specification.definition_name or "", before, after)
    normal = result.worker_outcome == WorkerOutcome.NORMAL and result.test_outcome != TestOutcome.INCOMPETENT
    return Result(mutant, result.test_outcome.value if normal else f"error: {result.worker_outcome.value}", diff)


def known_equivalents() -> set[Mutant]:
    groups = tomllib.loads(Path(__file__).with_name("equivalent.toml").read_text("utf-8"))["equivalent"]
    return {
        Mutant(group["file"], group["function"], group["before"], after) for group in groups for after in group["after"]
    }


def main() -> int:
    """Return 0 where every mutant is killed or known to be equivalent, and every known one was met; else 1."""
    began = time.monotonic()
    # One thread for each process: products this small gain nothing from more.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    known = known_equivalents()
    results = []
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        enter_a_copy(scratch)
        if subprocess.run(shlex.split(test_command())).returncode:
            print("the tests fail without any mutation: mend that first", file=sys.stderr)
            return 1
        mutations = specifications()
        with ProcessPoolExecutor(mp_context=fresh, initializer=enter_a_copy, initargs=(scratch,)) as pool:
            for number, result in enumerate(pool.map(outcome, mutations), start=1):
                results.append(result)
                if result.outcome != "killed" and result.mutant not in known:
                    print(f"\n{result.outcome}\n{result.diff}")
                if number % 50 == 0:
                    print(f"{number} of {len(mutations)} after {time.monotonic() - began:.0f} s", flush=True)
        os.chdir(ROOT)

    return report(results, known, time.monotonic() - began)


def report(results: list[Result], known: set[Mutant], seconds: float) -> int:
    """Print the table of results and what is left to do; return the exit code."""
    survivors = [result for result in results if result.outcome != "killed"]
    unknown = [result for result in survivors if result.mutant not in known]
    stale = known - {result.mutant for result in survivors}
    print(f"\n{seconds:.0f} s\n\n| file | mutants | killed | equivalent | survived |\n|---|---|---|---|---|")
    columns = [Counter(result.mutant.file for result in some) for some in (results, survivors, unknown)]
    for file in sorted(columns[0]):
        every, alive, new = (column[file] for column in columns)
        print(f"| `{file}` | {every} | {every - alive} | {alive - new} | {new} |")
    every, alive, new = map(len, (results, survivors, unknown))
    print(f"| all | {every} | {every - alive} | {alive - new} | {new} |")
    for mutant in sorted(stale):
        print(f"\nstale, since it is killed or cannot be made any more: {mutant}")
    return 1 if unknown or stale else 0


if __name__ == "__main__":
    sys.exit(main())
