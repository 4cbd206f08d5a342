"""predict: which digit a trained network sees in a picture."""

import sys
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from tinygrad_mnist import backend, checkpoint, network
from tinygrad_mnist.commands import drawing, options, report
from tinygrad_mnist.commands.evaluate import finite_logits
from tinygrad_mnist.datasets import images
from tinygrad_mnist.datasets.strokes import SIDE
from tinygrad_mnist.errors import DataError


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("pictures", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@options.backend
@options.json_events
def predict(model: Path, pictures: tuple[str, ...], backend_name: str, as_json: bool) -> None:
    """Read the digits in pictures with a trained network.

    MODEL is a file that 'train --save' wrote. Each IMAGE is a picture of one digit, PNG, JPEG or another
    kind, or - for standard input: dark on light or light on dark, of any size. It is prepared as MNIST's
    images were, and what the network saw is drawn. Where one cannot be read, nothing is said of the others.

    \b
    Examples:
      python cli.py predict model.npz photo.jpg
      python cli.py predict model.npz --json - < three.png
    """
    trained = checkpoint.load(model)
    inputs = trained.layer_sizes[0]
    if inputs != SIDE * SIDE:
        raise DataError(
            f"{model} was trained on images of {inputs} pixels, and pictures are made into {SIDE * SIDE}: name another."
        )
    seen = np.stack([_prepared(picture) for picture in pictures])
    place = backend.choose(backend_name)
    z = finite_logits(model, trained, seen.reshape(len(seen), -1), np.arange(len(seen)), place)
    said = backend.to_host(network.decide(z, trained.digits)).tolist()
    sure = backend.to_host(network.certainty(z)).tolist()
    if as_json:
        predictions = [
            {"image": picture, "digit": digit, "probability": probability}
            for picture, digit, probability in zip(pictures, said, sure, strict=True)
        ]
        report.event("result", digits=trained.digits, backend=place.name, predictions=predictions)
        return
    for picture, image, digit, probability in zip(pictures, seen, said, sure, strict=True):
        report.line("image", picture)
        click.echo("\n".join(drawing.lines(image)))
        report.line("digit", f"{digit}   {report.probability(probability)}")


def _prepared(picture: str) -> NDArray[np.uint8]:
    """Return the image (28, 28) in a file or in standard input. Raises DataError where there is none."""
    if picture == "-" and sys.stdin is None:
        raise DataError("standard input is closed: name a file, or pipe one in.")
    source = click.open_file("-", "rb") if picture == "-" else Path(picture)
    return images.prepare(images.load(source), images.named(source))
