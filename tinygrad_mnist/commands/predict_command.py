"""predict: the digit that a trained network recognizes in a picture."""

import sys
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import metrics, wording
from tinygrad_mnist.arrays.backend import Backend, to_host
from tinygrad_mnist.commands import options
from tinygrad_mnist.console import command_line, output
from tinygrad_mnist.console.pictures import lines
from tinygrad_mnist.datasets import images
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.inference import logits_of_images


@click.command(cls=command_line.Command)
@options.model
@click.argument("pictures", metavar="IMAGE...", nargs=-1, required=True, type=options.FilePath(allow_dash=True))
@options.backend
@options.json_events
def predict(model: Path, pictures: tuple[str, ...], backend: Backend, as_json: bool) -> None:
    """Recognize digits in pictures.

    MODEL is a file that 'train --save' wrote. Each IMAGE is a picture of one digit, or - for standard input. It may be
    a PNG, a JPEG or another common format, dark on light or light on dark, of any size. It is prepared as MNIST's
    images were, and the report shows the result. If one picture cannot be read, none is classified.

    \b
    Examples:
      python cli.py predict model.npz photo.jpg
      python cli.py predict model.npz --json - < three.png
    """
    trained = checkpoint.load(model)
    inputs = trained.layer_sizes[0]
    if inputs != SIDE * SIDE:
        raise DataError(f"{model} was trained on images of {inputs} pixels, not {SIDE * SIDE}: use a different model.")
    prepared = np.stack([_prepared(picture) for picture in pictures])
    z = logits_of_images(model, trained, prepared.reshape(len(pictures), -1), np.arange(len(pictures)), backend)
    digits = to_host(metrics.classify(z, trained.digits)).tolist()
    probabilities = to_host(metrics.confidence(z)).tolist()
    if as_json:
        rows = zip(pictures, digits, probabilities, strict=True)
        predictions = [dict(zip(("image", "digit", "probability"), row, strict=True)) for row in rows]
        output.event("result", digits=trained.digits, backend=backend.name, predictions=predictions)
        return
    for picture, image, digit, probability in zip(pictures, prepared, digits, probabilities, strict=True):
        output.line("image", picture)
        output.page("\n".join(lines(image)))
        output.line("digit", f"{digit}   {wording.probability(probability)}")


def _prepared(picture: str) -> NDArray[np.uint8]:
    """Return the image (28, 28) in a file or on standard input. Raises DataError if there is none."""
    if picture == "-" and sys.stdin is None:
        raise DataError("standard input is closed: name a file, or pipe one in.")
    source = click.open_file("-", "rb") if picture == "-" else Path(picture)
    return images.prepare(images.load(source), images.display_name(source))
