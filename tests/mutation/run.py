"""Mutation testing: make every small change to the code that trains, and see whether a test fails.

    python tests/mutation/run.py [FILE...]

Without files, everything in MUTATED is changed. It works on copies of the checkout, one for each processor. README.md
in this folder describes the rest.
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
MUTATED = [
    "tinygrad_mnist/passes",
    "tinygrad_mnist/networks/chunks.py",
    "tinygrad_mnist/networks/dense.py",
    "tinygrad_mnist/losses.py",
    "tinygrad_mnist/optimizers.py",
    "tinygrad_mnist/train.py",
]
# The first tests are quick and kill almost all mutants, and only the survivors meet the second. tests/test_floors.py is
# left out because it compares source text: it would kill every mutant of a backward without computing anything.
FIRST = ["tests/passes", "tests/networks", "tests/test_losses.py", "tests/test_optimizers.py", "tests/test_train.py"]
SECOND = [*MUTATED, "tests/proof", "tests/arrays/test_gpu.py", "tests/witnesses"]
SECONDS = 240  # a mutant that takes longer counts as killed; without a mutation, the tests take about 60


class Mutant(NamedTuple):
    """One small change. It is identified by the text that it changes, because line numbers move."""

    file: str
    function: str
    before: str
    after: str


class Result(NamedTuple):
    """What happened to a mutant. `outcome` is killed, survived, or a description of an error."""

    mutant: Mutant
    outcome: str
    diff: str


plugins.OPERATOR_PROVIDERS["arrays"] = operators.OPERATORS


def test_command() -> str:
    """Return the command that fails if one of the tests fails."""
    # Plain asserts halve the time: otherwise pytest rewrites every test file for each mutant, to explain failures.
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "--assert=plain", "-p", "no:cacheprovider"]
    runs = [shlex.join([*pytest, *filter(os.path.exists, tests)]) for tests in (FIRST, SECOND)]
    return shlex.join(["sh", "-c", " && ".join(runs)])


def enter_a_copy(scratch: str) -> None:
    """Copy all files that git tracks or would add to a new folder, and make it this process's working directory."""
    copy = tempfile.mkdtemp(dir=scratch)
    command = shlex.split("git ls-files -co --exclude-standard -z")
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file():  # git also lists deleted files
            target = Path(copy, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    os.chdir(copy)


def mutated_files(names: list[str]) -> list[Path]:
    """Return the files with these names, and those in the folders with these names."""
    return [path for name in names for path in (sorted(Path(name).glob("*.py")) or [Path(name)])]


def specifications(files: list[Path]) -> list[MutationSpec]:
    """Return every mutation that the operators can make of the files."""
    database = WorkDB("mutants.sqlite", WorkDB.Mode.create)
    init(files, database, {})
    return [item.mutations[0] for item in database.work_items]


def outcome(specification: MutationSpec) -> Result:
    """Mutate this process's copy, run the tests, and undo the mutation."""
    result = mutate_and_test([specification], test_command(), SECONDS)
    diff = result.diff or result.output or ""
    lines = diff.splitlines()[3:]  # after the names of the files
    # The diff of a file's last line has an additional empty line.
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)).strip() for sign in "-+")
    mutant = Mutant(specification.module_path.as_posix(), specification.definition_name or "", before, after)
    normal = result.worker_outcome == WorkerOutcome.NORMAL and result.test_outcome != TestOutcome.INCOMPETENT
    return Result(mutant, result.test_outcome.value if normal else f"error: {result.worker_outcome.value}", diff)


def known_equivalents(files: list[Path]) -> set[Mutant]:
    """Return the mutants of these files that equivalent.toml lists."""
    groups = tomllib.loads(Path(__file__).with_name("equivalent.toml").read_text("utf-8"))["equivalent"]
    return {
        Mutant(group["file"], group["function"], group["before"], after)
        for group in groups
        for after in group["after"]
        if Path(group["file"]) in files
    }


def main(names: list[str]) -> int:
    """Return 0 if exactly those mutants survive that are known to be equivalent, and 1 otherwise."""
    began = time.monotonic()
    # One thread for each process: more would not make products of this size faster.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    results = []
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        enter_a_copy(scratch)
        if subprocess.run(shlex.split(test_command())).returncode:
            print("the tests fail without a mutation: fix that first", file=sys.stderr)
            return 1
        files = mutated_files(names)
        known, mutations = known_equivalents(files), specifications(files)
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
    """Print the table of results and what is left to do. Return the exit code."""
    survivors = [result for result in results if result.outcome != "killed"]
    unknown = [result for result in survivors if result.mutant not in known]
    stale = known - {result.mutant for result in survivors}
    print(f"\n{seconds:.0f} s\n\n| file | mutants | killed | equivalent | survived |\n|---|---|---|---|---|")
    columns = [Counter(result.mutant.file for result in group) for group in (results, survivors, unknown)]
    for file in sorted(columns[0]):
        total, alive, new = (column[file] for column in columns)
        print(f"| `{file}` | {total} | {total - alive} | {alive - new} | {new} |")
    total, alive, new = map(len, (results, survivors, unknown))
    print(f"| all | {total} | {total - alive} | {alive - new} | {new} |")
    for mutant in sorted(stale):
        print(f"\nremove this from equivalent.toml, because it is killed or can no longer be made: {mutant}")
    return 1 if unknown or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or MUTATED))
