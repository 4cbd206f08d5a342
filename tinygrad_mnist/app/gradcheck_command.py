"""gradcheck: check derivatives worked out by hand against measured ones, ours or those in somebody's file."""

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import click

from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.arrays import gpu
from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.check import user_file
from tinygrad_mnist.check.report import Report, verdict_of
from tinygrad_mnist.derivations import derivations
from tinygrad_mnist.proof import summary
from tinygrad_mnist.proof.cases import Case, all_cases
from tinygrad_mnist.proof.planted import named_bugs, planted

EXIT_CODES = {"right": 0, "wrong": 1, "inconclusive": 2}
DTYPES = {"both": ("float64", "float32"), "float64": ("float64",), "float32": ("float32",)}


@click.command(cls=command_line.Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--forward", metavar="NAME", help="The forward in FILE, if it has a different name.")
@click.option("--backward", metavar="NAME", help="The backward in FILE, if it has a different name.")
@click.option("--shape", "shapes", multiple=True, metavar="X=5,4", help="The shape of an argument.")
@click.option("--wrt", multiple=True, metavar="NAME", help="Differentiate only with respect to this argument.")
@click.option("--seed", type=options.SEED, default=0, help="Draw different numbers.")
@click.option("--dtype", type=click.Choice([*DTYPES]), default="both", help="Type in which to compute the gradients.")
@click.option("--plant", metavar="NAME", help="Plant the bug with this name, to see it found. 'list' shows all names.")
@options.backend
@options.json_events
def gradcheck(
    file: Path | None, seed: int, dtype: str, plant: str | None, backend: Backend, as_json: bool, **names: Any
) -> None:
    """Check every hand-derived gradient against measured ones: ours, or those of the functions in FILE.

    Without FILE, each pass, each network and training are checked. FILE is a Python file of yours with two functions,
    forward(x, ...) and backward(dout, x, ...). Their docstrings name the shapes of the arguments, like x (N, I).

    The exit code is 0 if all gradients are right, 1 if one is wrong, and 2 if one cannot be decided.

    \b
    Examples:
      python cli.py gradcheck
      python cli.py gradcheck --plant missing-mean
      python cli.py gradcheck mylayer.py --shape x=5,4
    """
    if file is None and any(names.values()):
        raise click.UsageError("name a FILE of yours to use this option with.")
    if file is not None and plant:
        raise click.UsageError("--plant plants bugs in our own functions: leave FILE out.")
    if file is not None:
        with redirect_stdout(sys.stderr):  # what the file prints is not part of the report
            wrt, shapes = names.pop("wrt") or None, user_file.shapes(names.pop("shapes"))
            forward, backward, arguments, takes_cache = user_file.read(file, **names, shapes=shapes, seed=seed)
            case = Case(file.name, forward, backward, arguments, {"cache": takes_cache, "wrt": wrt})
            # Both types are what `verify` checks without dtypes.
            report = case.verified(backend, None if dtype == "both" else DTYPES[dtype], seed)
        code = _print({file.name: report}, as_json, str(report))
    elif plant == "list":
        code = _list_bugs(as_json)
    else:
        code = _check_ours(seed, DTYPES[dtype], plant, backend, as_json)
    raise click.exceptions.Exit(code)


def _check_ours(seed: int, dtypes: tuple[str, ...], plant: str | None, backend: Backend, as_json: bool) -> int:
    """Print the reports on our own functions, possibly with a bug, and return the exit code."""
    bugs = named_bugs()
    if plant is not None and plant not in bugs:
        raise click.BadParameter(f"{plant!r} is not in the list that '--plant list' shows.", param_hint="'--plant'")
    if bug := bugs[plant] if plant else None:
        output.notice(f"Planted in {bug.module}: {bug.description}")
    with planted(bug) if bug else nullcontext():
        cases = all_cases(seed)
        reports = {c.name: c.report(backend, dtypes, seed) for c in output.CONSOLE.bar([*cases.values()], "checks")}
    pages = [derivations.counts(page) for page in derivations.page_names()]
    chained = [case.name for case in cases.values() if case.chained]
    result = summary.faults(reports, chained) or f"{len(reports)} functions: all gradients are right"
    text = "\n\n".join([summary.table(reports), summary.derivations_table(pages), result])
    code = _print(reports, as_json, text, derivations=pages, backend=backend.name, seed=seed)
    if code and backend.name == "cupy" and gpu.rounds_products():
        output.notice("CUPY_TF32=1 rounds the factors of float32 products: unset it, and check again.")
    return code or int(any(page["wrong"] for page in pages))


def _print(reports: dict[str, Report], as_json: bool, text: str, **facts: Any) -> int:
    """Print reports, and return the exit code for the verdict on all of them."""
    verdict = verdict_of(reports.values())
    details = [{**report.as_json(), "name": name} for name, report in reports.items()]
    judged = {"verdict": verdict, "passed": verdict == "right", "reports": details}
    output.report(as_json, judged | facts, {}, text)
    return EXIT_CODES[verdict]


def _list_bugs(as_json: bool) -> int:
    plants = {name: bug.description for name, bug in named_bugs().items()}
    names = "\n".join(f"{name:<24}{description}" for name, description in plants.items())
    output.report(as_json, {"plants": plants}, {}, names)
    return 0
