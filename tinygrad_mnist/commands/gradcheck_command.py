"""gradcheck: check the derivatives worked out by hand against measured ones."""

from collections.abc import Sequence

import click

from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.arrays.cuda import rounds_products
from tinygrad_mnist.commands import options
from tinygrad_mnist.console import command_line, output
from tinygrad_mnist.datasets.bars import track
from tinygrad_mnist.proof.cases import all_cases
from tinygrad_mnist.proof.gradcheck import UPSTREAM, Check, GradientCase, check, source_line
from tinygrad_mnist.proof.planted import PLANTED_BUGS

COLUMNS = {"differences": 9, "complex step": 13, "float32": 8, "order": 6}
"""The oracles that have a column in the table, and its width."""


@click.command(cls=command_line.Command)
@click.option("--seed", type=options.SEED, default=0, help="Draw different numbers.")
@click.option(
    "--dtype",
    type=click.Choice(["both", "float32", "float64"]),
    default="both",
    help="Type in which to compute the gradients.",
)
@click.option("--plant", metavar="NAME", help="Plant the bug with this name, to see it found. 'list' shows all names.")
@options.backend
@options.json_events
def gradcheck(seed: int, dtype: str, plant: str | None, backend: Backend, as_json: bool) -> None:
    """Check every hand-derived gradient against measured ones.

    Each pass and each network is checked with respect to each of its arguments, against finite differences of fourth
    order and against the complex step, which is exact except for rounding. The error shown is the largest error in any
    entry, relative to the largest entry of that gradient. The exit code is 1 if an error is too large.

    \b
    Examples:
      python cli.py gradcheck
      python cli.py gradcheck --plant missing-mean
    """
    if plant == "list":
        _list_bugs(as_json)
        return
    cases = all_cases(seed)
    if plant is not None:
        if plant not in PLANTED_BUGS:
            raise click.BadParameter(f"{plant!r} is not in the list that '--plant list' shows.", param_hint="'--plant'")
        bug = PLANTED_BUGS[plant]
        cases = bug.planted_in(cases)
        output.notice(f"Planted in {bug.case}: {bug.description}")
    dtypes = ("float64", "float32") if dtype == "both" else (dtype,)
    checks = [
        result for case in track([*cases.values()], "checks", output.Bar) for result in check(case, backend, dtypes)
    ]
    passed = all(result.passed for result in checks)
    if as_json:
        rows = [{**vars(result), "passed": result.passed} for result in checks]
        output.event("result", passed=passed, seed=seed, backend=backend.name, checks=rows)
    else:
        _print_report(checks, cases)
    if not passed:
        if backend.name == "cupy" and rounds_products():
            output.notice("CUPY_TF32=1 rounds the factors of float32 products: unset it, and check again.")
        raise click.exceptions.Exit(1)


def _list_bugs(as_json: bool) -> None:
    descriptions = {name: bug.description for name, bug in PLANTED_BUGS.items()}
    if as_json:
        output.event("result", plants=descriptions)
        return
    for name, description in descriptions.items():
        output.echo(f"{name:<22}{description}")


def _print_report(checks: Sequence[Check], cases: dict[str, GradientCase]) -> None:
    """Print the table of errors, what else was checked, and for each wrong derivative the line that computes it."""
    output.echo(" " * 18 + "".join(f"{oracle:>{max(width, len(oracle))}}" for oracle, width in COLUMNS.items()))
    for name, case in cases.items():
        for argument in case.arguments:
            output.echo(_row(_of(checks, name, argument)))
    others = sum(result.oracle not in COLUMNS for result in checks)
    output.page(f"\nAlso {others} checks of shapes, dtypes, repeated calls,")
    output.echo("unchanged inputs, zero gradients and linearity.")
    kinks = max(sum(result.kinks for result in checks if result.oracle == oracle) for oracle in COLUMNS)
    if kinks:
        output.echo(f"Points skipped because they have no derivative: {kinks}.")
    failed = [result for result in checks if not result.passed]
    _print_errors(failed, cases)
    output.page(f"\n{len(checks)} checks: {f'{len(failed)} failed' if failed else 'all passed'}")


def _print_errors(failed: Sequence[Check], cases: dict[str, GradientCase]) -> None:
    """Print the lines that compute wrong derivatives: those of the networks only if all of the passes are correct."""
    wrong = [cases[name] for name in dict.fromkeys(result.name for result in failed)]
    passes = [case for case in wrong if not case.chained]
    for case in passes or wrong:
        for argument in (UPSTREAM, *case.arguments):
            if results := _of(failed, case.name, argument):
                place, _, code = source_line(case, argument).partition(": ")
                gradient = f", d{argument}" if argument in case.arguments else ""
                output.page(f"\nWRONG: {case.name}{gradient}\n  {place}\n    {code}")
                for result in results:
                    output.echo(f"  {result.oracle}: error {result.error:.0e}, allowed {result.tolerance:.0e}")
    if passes and len(passes) < len(wrong):
        output.page(f"\nWrong as a result: {', '.join(case.name for case in wrong if case.chained)}.")


def _of(checks: Sequence[Check], name: str, argument: str) -> list[Check]:
    return [result for result in checks if (result.name, result.argument) == (name, argument)]


def _row(checks: Sequence[Check]) -> str:
    """Return the row of the table for one gradient."""
    by_oracle = {result.oracle: result for result in checks}
    row = f"{checks[0].name:<14}{'d' + checks[0].argument:<6}"
    for oracle, width in COLUMNS.items():
        if result := by_oracle.get(oracle):
            cell = f"{result.error:.0e}" if result.observed is None else f"{result.observed:.2f}"
        else:
            # Central differences of a polynomial of second degree have no error, and so no order.
            cell = "exact" if oracle == "order" and "differences" in by_oracle else "-"
        row += f"{cell:>{width}}"
    return f"{row} {'ok' if all(result.passed for result in checks) else 'BAD'}"
