"""predict: the digit that a trained network recognizes in a picture."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tinygrad_mnist.app import command_line, options, output, wording
from tinygrad_mnist.app.pictures import lines
from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos.prediction import Prediction, Source, facts, predictions
from tinygrad_mnist.runs import checkpoint

MAX_SHOWN = 4
"""The largest number of pictures that are drawn. More are listed in a table."""


@click.command(cls=command_line.Command)
@options.model
@click.argument("pictures", metavar="IMAGE...", nargs=-1, required=True, type=options.FilePath(allow_dash=True))
@options.backend
@options.json_events
def predict(model: Path, pictures: tuple[str, ...], backend: Backend, as_json: bool) -> None:
    """Recognize digits in pictures.

    MODEL is a file that 'train --save' wrote. Each IMAGE is a picture of one digit, or - for standard input. It may be
    a PNG, a JPEG or another common format, dark on light or light on dark, of any size. It is prepared as the
    training images were, and the report shows the result. "not sure" means that it does not look like the digits that
    the network was trained on, or like several of them. A picture that cannot be read is reported in its place.

    \b
    Examples:
      python cli.py predict model.npz photo.jpg
      python cli.py predict model.npz --json - < three.png
    """
    trained = checkpoint.load(model)
    found = predictions(trained, [_source(picture) for picture in pictures], backend)
    failures = [one for one in found if isinstance(one, DataError)]
    if as_json:
        listed = list(map(facts, pictures, found))
        output.event("result", digits=trained.digits, backend=backend.name, predictions=listed)
    elif len(found) > len(failures):
        _report(pictures, found)
    if failures:
        several = DataError(f"{len(failures):,} of {len(found):,} pictures cannot be read.")
        raise failures[0] if len(found) == 1 else several


def _report(pictures: Sequence[str], found: Sequence[Prediction | DataError]) -> None:
    """Print each picture with its digit, or for more than a few, a table with a line for each."""
    is_table = len(found) > MAX_SHOWN
    if is_table:
        output.line("digit", "probability  image")
    for name, one in zip(pictures, found, strict=True):
        if isinstance(one, DataError):
            output.line("error", str(one))
            continue
        (digit, p), (second, q), *_ = one.ranked
        if is_table:
            reason = f"  not sure: {one.reason}" if one.reason else ""
            output.line(f"{digit}", f"{wording.probability(p):>11}  {name}{reason}")
            continue
        output.line("image", name)
        output.page("\n".join(lines(one.picture)))
        then = f", then {second} with {wording.percent(q)}" if len(one.ranked) > 2 else ""
        output.line("digit", f"{digit}   {wording.probability(p)}{then}")
        if one.reason:
            output.paragraph("not sure", one.reason)


def _source(picture: str) -> Source:
    """Return the file of this name or standard input. Raises DataError if that is closed."""
    if picture == "-" and sys.stdin is None:
        raise DataError("standard input is closed: name a file, or pipe one in")
    return click.open_file("-", "rb") if picture == "-" else Path(picture)
