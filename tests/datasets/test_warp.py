"""The affine map that strokes and distortions share, at points whose image everybody knows."""

import numpy as np
import pytest

from tinygrad_mnist.datasets.warp import affine

STILL = {"turn": 0.0, "slant": 0.0, "wide": 1.0, "tall": 1.0}


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ({}, (3.0, 2.0)),
        ({"wide": 2.0}, (6.0, 2.0)),
        ({"tall": 2.0}, (3.0, 4.0)),
        ({"slant": 0.5}, (4.0, 2.0)),
        ({"turn": np.pi / 2}, (-2.0, 3.0)),
        ({"turn": np.pi / 2, "wide": 2.0}, (-2.0, 6.0)),
    ],
)
def test_a_point_comes_to_where_it_should(change: dict[str, float], to: tuple[float, float]) -> None:
    assert affine(3.0, 2.0, **{**STILL, **change}) == pytest.approx(to)


def test_the_image_of_a_sum_is_the_sum_of_the_images() -> None:
    how = {"turn": 0.3, "slant": -0.2, "wide": 1.1, "tall": 0.9}
    whole, across, down = affine(3.0, 2.0, **how), affine(3.0, 0.0, **how), affine(0.0, 2.0, **how)
    assert whole == pytest.approx([across[0] + down[0], across[1] + down[1]])
