"""Measures how many photos a trained network reads right, wrong but sure, or not: the scenes of scenes.py.

    python -m benchmarks.photos MODEL --data DIR [--count N] [--seed N]

MODEL recognizes all ten digits. The digits are MNIST's test digits, and photos with the same seed are the same. A
prediction is sure if its probability is at least 0.9 and nothing speaks against the choice of the digit. Writes its
section of RESULTS.md.
"""

import io
from pathlib import Path

import click
import numpy as np

from benchmarks import scenes
from benchmarks.results import machine, table, write_section
from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.backend import choose_backend
from tinygrad_mnist.datasets import image_file, load
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.photos.preparation import prepare
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.runs.checkpoint import logits

SURE = 0.9
"""The smallest probability of a prediction that counts as sure."""


def files(scene: scenes.Scene, digits: list[np.ndarray], rng: scenes.Generator) -> list[bytes]:
    """Return a photo of each digit (28, 28) in a scene."""
    return [
        scenes.jpeg(scenes.photograph(scene(scenes.shot(digit, rng), rng), rng), int(rng.integers(70, 95)))
        for digit in digits
    ]


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.option("--data", required=True, help="A folder with MNIST's four files.")
@click.option("--count", default=50, show_default=True, help="Photos of each scene.")
@click.option("--seed", default=0, show_default=True)
def main(model: Path, data: str, count: int, seed: int) -> None:
    """Read photos of every scene, and write the shares of right, wrong and refused ones."""
    trained, backend = checkpoint.load(model), choose_backend("numpy")
    test = load(data, range(10)).test
    rows = []
    for name, scene in (scenes.GOOD | scenes.BAD).items():
        rng = np.random.default_rng([seed, *name.encode()])
        chosen = test.take(rng.integers(len(test.labels), size=count))
        right = wrong = refused = 0
        for label, content in zip(chosen.labels, files(scene, [*chosen.images], rng), strict=True):
            try:
                image, fault = prepare(image_file.load(io.BytesIO(content)), name)
            except DataError:
                refused += 1
                continue
            z = logits(trained, image.reshape(1, -1), np.arange(1), backend)
            is_right = int(metrics.classify(z, trained.digits)[0]) == label
            right += is_right
            wrong += not is_right and not fault and float(metrics.confidence(z)[0]) >= SURE
        rows.append([name, *(f"{100 * share / count:.0f} %" for share in (right, wrong, refused))])
        click.echo("  ".join(rows[-1]))
    header = ["scene", "right", "wrong but sure", "refused"]
    write_section("Photos", f"{machine()}; {count} photos of each scene, seed {seed}.\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
