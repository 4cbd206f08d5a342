"""The affine map that drawn digits and distortions share, at points whose images are easy to see."""

import numpy as np
import pytest

from tinygrad_mnist.datasets.warp import affine

IDENTITY = {"angle": 0.0, "slant": 0.0, "x_scale": 1.0, "y_scale": 1.0}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (3.0, 2.0)),
        ({"x_scale": 2.0}, (6.0, 2.0)),
        ({"y_scale": 2.0}, (3.0, 4.0)),
        ({"slant": 0.5}, (4.0, 2.0)),
        ({"angle": np.pi / 2}, (-2.0, 3.0)),
        ({"angle": np.pi / 2, "x_scale": 2.0}, (-2.0, 6.0)),
    ],
)
def test_a_point_moves_to_its_image(change: dict[str, float], expected: tuple[float, float]) -> None:
    assert affine(3.0, 2.0, **{**IDENTITY, **change}) == pytest.approx(expected)


def test_the_image_of_a_sum_is_the_sum_of_the_images() -> None:
    values = {"angle": 0.3, "slant": -0.2, "x_scale": 1.1, "y_scale": 0.9}
    total, across, down = affine(3.0, 2.0, **values), affine(3.0, 0.0, **values), affine(0.0, 2.0, **values)
    assert total == pytest.approx([across[0] + down[0], across[1] + down[1]])
