"""gradcheck: every derivative that was worked out by hand, held against measured ones."""

from typing import TYPE_CHECKING

import click

from tinygrad_mnist import backend
from tinygrad_mnist.commands import options, report
from tinygrad_mnist.datasets.bars import shown

if TYPE_CHECKING:
    from tinygrad_mnist.gradcheck import Check, Claim

WIDTHS = {"differences": 12, "complex step": 13, "float32": 8, "order": 6}
"""The oracles that have a column in the table, and how wide it is."""


@click.command()
@click.option("--seed", type=options.Whole(0), default=0, show_default=True, help="Draws other numbers to check at.")
@click.option(
    "--dtype",
    type=click.Choice(["both", "float32", "float64"]),
    default="both",
    show_default=True,
    help="The type in which the gradients are computed.",
)
@click.option("--plant", metavar="NAME", help="Plant a wrong derivative and see it found. 'list' names them.")
@options.backend
@options.json_events
@click.pass_context
def gradcheck(
    context: click.Context, seed: int, dtype: str, plant: str | None, backend_name: str, as_json: bool
) -> None:
    """Hold every hand-derived gradient against measured ones.

    Each pass and the network, by each argument: against finite differences of fourth order, and against
    the complex step, which is exact but for rounding. An error is the largest of all entries, over the
    largest entry of that gradient. Exit code 1 where one is too large.

    \b
    Examples:
      python cli.py gradcheck
      python cli.py gradcheck --plant missing-mean
    """
    # The measuring tools are slow to import, and the other commands do without.
    from tinygrad_mnist import claims, planted
    from tinygrad_mnist.gradcheck import check

    if plant == "list":
        _list({name: bug.says for name, bug in planted.PLANTS.items()}, as_json)
        return
    claimed = claims.all_claims(seed)
    if plant is not None:
        if plant not in planted.PLANTS:
            raise click.BadParameter(f"there is no {plant!r}; '--plant list' names them.", param_hint="'--plant'")
        bug = planted.PLANTS[plant]
        claimed = bug.into(claimed)
        report.notice(f"Planted in {bug.claim}: {bug.says}")
    place = backend.choose(backend_name)
    dtypes = ("float64", "float32") if dtype == "both" else (dtype,)
    checks = [
        found for claim in shown([*claimed.values()], "checks", report.Bar) for found in check(claim, place, dtypes)
    ]
    if as_json:
        _to_program(checks, seed, place.name)
    else:
        _to_person(checks, claimed)
    context.exit(0 if all(found.passed for found in checks) else 1)


def _list(plants: dict[str, str], as_json: bool) -> None:
    if as_json:
        report.event("result", plants=plants)
        return
    for name, says in plants.items():
        click.echo(f"{name:<20}{says}")


def _to_program(checks: "list[Check]", seed: int, backend_name: str) -> None:
    report.event(
        "result",
        passed=all(found.passed for found in checks),
        seed=seed,
        backend=backend_name,
        checks=[{**vars(found), "passed": found.passed} for found in checks],
    )


def _to_person(checks: "list[Check]", claimed: "dict[str, Claim]") -> None:
    """Print the table of errors, what is not in it, and for each wrong derivative the line of code to look at."""
    click.echo(f"{'':<14}{'by':<3}" + "".join(f"{oracle:>{width}}" for oracle, width in WIDTHS.items()))
    for name, claim in claimed.items():
        for argument in claim.arguments:
            click.echo(_row(_of(checks, name, argument)))
    unseen = [found for found in checks if found.oracle not in WIDTHS]
    click.echo(f"\nand {len(unseen)} checks of shapes, types, repeated calls, inputs left")
    click.echo("unchanged, zero for zero and linearity")
    kinks = max(sum(found.kinks for found in checks if found.oracle == oracle) for oracle in WIDTHS)
    if kinks:
        click.echo(f"set aside, at a kink, where there is no derivative: {kinks}")
    failed = [found for found in checks if not found.passed]
    _say_what_is_wrong(failed, claimed)
    click.echo(f"\n{len(checks)} checks: {f'{len(failed)} failed' if failed else 'all passed'}")


def _say_what_is_wrong(failed: "list[Check]", claimed: "dict[str, Claim]") -> None:
    """Print the lines to look at: those of the passes, and those of the network only where all the passes are right."""
    from tinygrad_mnist.gradcheck import UPSTREAM

    wrong = [claimed[name] for name in dict.fromkeys(found.name for found in failed)]
    passes = [claim for claim in wrong if not claim.chained]
    for claim in passes or wrong:
        for argument in (UPSTREAM, *claim.arguments):
            if found := _of(failed, claim.name, argument):
                click.echo("\n" + _wrong(claim, argument, found))
    if passes and len(passes) < len(wrong):
        chained = ", ".join(claim.name for claim in wrong if claim.chained)
        click.echo(f"\nWrong too, being chained from that: {chained}.")


def _of(checks: "list[Check]", name: str, argument: str) -> "list[Check]":
    return [found for found in checks if (found.name, found.argument) == (name, argument)]


def _row(checks: "list[Check]") -> str:
    by_oracle = {found.oracle: found for found in checks}
    row = f"{checks[0].name:<14}{checks[0].argument:<3}"
    for oracle, width in WIDTHS.items():
        if oracle in by_oracle:
            found = by_oracle[oracle]
            row += f"{found.error:>{width}.0e}" if found.observed is None else f"{found.observed:>{width}.2f}"
        else:
            # A central difference of a polynomial of second degree has no error, and so no order.
            row += f"{'exact' if oracle == 'order' and 'differences' in by_oracle else '-':>{width}}"
    return f"{row} {'ok' if all(found.passed for found in checks) else 'BAD'}"


def _wrong(claim: "Claim", argument: str, wrong: "list[Check]") -> str:
    from tinygrad_mnist.gradcheck import culprit

    where, _, line = culprit(claim, argument).partition(": ")
    lines = [f"WRONG: {claim.name}, d{argument}" if argument in claim.arguments else f"WRONG: {claim.name}"]
    lines += [f"  {where}", f"    {line}"]
    lines += [f"  {found.oracle}: error {found.error:.0e}, allowed {found.tolerance:.0e}" for found in wrong]
    return "\n".join(lines)
