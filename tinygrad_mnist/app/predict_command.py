"""predict: the digit that a trained network recognizes in a picture."""

import sys
from pathlib import Path

import click

from tinygrad_mnist.app import command_line, options, output
from tinygrad_mnist.app.pictures import lines
from tinygrad_mnist.arrays.backend import Backend
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos.prediction import Prediction, Source, facts, predictions
from tinygrad_mnist.runs import checkpoint

MAX_SHOWN = 4
"""The largest number of pictures that are drawn. More are listed in a table."""


@click.command(cls=command_line.Command)
@options.model
@click.argument("pictures", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(readable=False))
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
    found = [*zip(pictures, predictions(trained, [*map(_source, pictures)], backend), strict=True)]
    failures = [one for _, one in found if isinstance(one, DataError)]
    listed = [facts(name, one) for name, one in found]
    result = {"digits": trained.digits, "backend": backend.name, "predictions": listed}
    if as_json or len(failures) < len(found):
        is_table = len(found) > MAX_SHOWN
        describe = _row if is_table else _drawn
        texts = [_error(one) if isinstance(one, DataError) else describe(name, one) for name, one in found]
        head = {"digit": "probability  image"} if is_table else {}
        output.report(as_json, result, head, "\n".join(texts))
    if failures:
        several = DataError(f"{len(failures):,} of {len(found):,} pictures cannot be read")
        raise failures[0] if len(found) == 1 else several


def _error(error: DataError) -> str:
    return output.printable(f"error     {error}")


def _drawn(name: str, found: Prediction) -> str:
    """Return a picture as it was prepared for the network, and its digit."""
    (digit, p), (second, q), *others = found.ranked
    then = f", then {second} with {output.percent(q)}" if others else ""
    report = [output.labeled("digit", f"{digit}   {output.probability(p)}{then}")]
    report += [output.labeled("not sure", found.reason)] if found.reason else []
    return "\n".join([output.labeled("image", name), *lines(found.picture), *report])


def _row(name: str, found: Prediction) -> str:
    """Return a line with a digit, its probability and the name of its picture."""
    digit, p = found.ranked[0]
    reason = f"  not sure: {found.reason}" if found.reason else ""
    return output.printable(f"{digit:<10}{output.probability(p):>11}  {name}{reason}")


def _source(picture: str) -> Source:
    """Return the file of this name or standard input. Raises DataError if that is closed."""
    if picture == "-" and sys.stdin is None:
        raise DataError("standard input is closed: name a file, or pipe one in")
    return click.open_file("-", "rb") if picture == "-" else Path(picture)
