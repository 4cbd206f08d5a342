"""The sections have the book's figures, in all digits that it prints."""

import functools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist import datasets
from tinygrad_mnist.app import chapter_command
from tinygrad_mnist.chapter import SECTIONS, book_figures
from tinygrad_mnist.chapter.material import DIGITS, Material
from tinygrad_mnist.chapter.section import Section
from tinygrad_mnist.datasets.digits import DataSet

ROOT = Path(__file__).parents[2]


Show = Callable[[str], Section]

FIGURES = {
    "gradient": ["9", "6", "125", "6", "8", "20"],
    "steps": ["-53195.9", "-3419.7", "-253.9", "25823.8", "5435.5", "1577.4", "847.4", "709.2", "677.0"],
    "rates": [],
    "sigmoid": [],
    "loss": ["0.1", "0.4", "0.8", "0.4333", "0.2333"],
    "tensors": ["36"],
    "stack": ["6,131", "6,265", "1,010", "1,028"],
    "ideals": ["0.1114", "0.1586", "0.2021", "0.3021"],
    "similarity": ["0.9168", "0.9854", "0.9511"],
    "batches": ["0.5006", "-0.0008"],
}
"""The figures of all sections that train nothing, as the book prints them."""


@pytest.fixture(scope="module")
def show(request: pytest.FixtureRequest) -> Show:
    """Return a function that shows a section, computed once. Those that need digits take them from real MNIST."""

    def load() -> DataSet:
        return datasets.load(str(request.getfixturevalue("shared_mnist")), DIGITS)

    material = Material(load, seed=0)
    return functools.cache(lambda name: SECTIONS[name](material))


@pytest.mark.parametrize("name", FIGURES)
def test_sections_without_training_have_the_books_figures(name: str, show: Show) -> None:
    section = show(name)
    assert [format(figure.here, figure.number_format) for figure in section.figures] == FIGURES[name]
    assert all(figure.same for figure in section.figures)


@pytest.mark.parametrize("name", ["gradient", "steps", "rates", "sigmoid", "loss"])
def test_sections_without_digits_load_none(name: str) -> None:
    assert SECTIONS[name](Material(lambda: pytest.fail("digits were loaded"), seed=0)).origin == ""


def test_the_measured_derivative_approaches_6(show: Show) -> None:
    (table,) = show("gradient").tables
    assert [derivative for _, derivative in table.rows] == pytest.approx([7, 6.1, 6.01, 6.001], rel=1e-9)


def test_a_small_rate_is_slow_a_good_one_converges_and_a_large_one_diverges(show: Show) -> None:
    on_square, on_roller_coaster, parabolas = show("rates").tables
    ends = {row[0]: abs(row[3]) for row in on_square.rows}
    assert ends[0.3] < 0.001 < ends[0.9] < ends[0.01] < 3 < ends[1.1]
    losses = {row[0]: row[3] for row in on_roller_coaster.rows}
    assert losses[1e-5] < losses[1e-7] < book_figures.LOSSES[0] < losses[1e-4]
    assert [loss for *_, loss in parabolas.rows] == pytest.approx([25823.8, 677.0, 7.3], rel=1e-2)


def test_the_sigmoid_is_one_half_at_0_and_steepest_there_and_never_overflows(show: Show) -> None:
    (table,) = show("sigmoid").tables
    by_z = {z: (p, derivative) for z, p, derivative in table.rows}
    assert (by_z[-1000.0], by_z[0.0], by_z[1000.0]) == ((0, 0), (0.5, 0.25), (1, 0))
    assert by_z[2.0] == pytest.approx((0.880797, 0.104994), rel=1e-5)


def test_on_mnist_the_trained_models_are_as_accurate_as_the_books(show: Show) -> None:
    # Over five seeds, linear models reached 98.14 % to 98.28 %, and models with a hidden layer 98.14 % to 98.53 %.
    (linear,), (hidden, loss) = show("linear").figures, show("hidden").figures
    assert 0.9785 < linear.here < 0.985
    assert hidden.here == pytest.approx(0.982826, abs=0.003)
    assert loss.here == pytest.approx(0.020415, abs=0.002)
    summary = " ".join(chapter_command.summary({name: show(name) for name in SECTIONS}).split())
    assert "34 of the 37 figures that can be compared are the same" in summary
    assert "*" not in summary


def test_the_books_3_is_image_10000_of_the_training_file(show: Show, shared_mnist: Path) -> None:
    (picture,) = show("tensors").pictures
    all_digits = datasets.load(str(shared_mnist), range(10)).training
    np.testing.assert_array_equal(picture.image, all_digits.images[10000])


def test_on_mnist_a_batch_of_3s_has_a_less_similar_gradient_than_random_digits(show: Show) -> None:
    (table,) = show("batches").tables
    similarities = {name: cosine for name, _, cosine in table.rows}
    assert similarities["4 random"] < similarities["64 random"] < similarities["256 random"]
    assert similarities["256 unshuffled"] < similarities["64 random"]


def test_the_book_figures_agree_with_the_file_of_printed_figures() -> None:
    path = ROOT.parent / "shared" / "oracles" / "chapter4.json"
    if not path.is_file():
        pytest.skip(f"the book's figures are not in {path}")
    printed = json.loads(path.read_text("utf-8"))
    coaster, loss, threes = (printed[key] for key in ("roller_coaster", "mnist_loss", "logits_of_four_threes"))
    assert [list(row) for row in book_figures.PATCH] == printed["patch_of_a_training_three"]["values"]
    assert list(book_figures.DISTANCES.values()) == [
        printed["ideal_digit_distances"]["training image 10000"][key]
        for key in ("l1_to_3", "l1_to_7", "rmse_to_3", "rmse_to_7")
    ]
    assert list(book_figures.SIMILARITY.values()) == list(printed["pixel_similarity_l1"].values())
    assert list(book_figures.NOISE) == coaster["noise"]
    assert list(book_figures.FIRST_PARAMETERS) == coaster["initial_parameters"]
    assert list(book_figures.FIRST_GRADIENT) == coaster["first_gradient"]
    assert list(book_figures.LOSSES) == coaster["losses"]
    assert (list(book_figures.PREDICTIONS), list(book_figures.TARGETS)) == (loss["predictions"], loss["targets"])
    assert list(book_figures.PREDICTION_DISTANCES.values()) == loss["distances"]
    assert list(book_figures.PREDICTION_LOSSES.values()) == [loss["loss"], loss["loss_with_last_prediction_0.8"]]
    assert list(book_figures.FOUR_LOGITS) == threes["logits"]
    assert list(book_figures.FOUR_THREES.values()) == [threes["loss"], threes["bias_gradient"]]
    assert list(book_figures.LINEAR_OWN) == printed["linear_model"]["accuracy_by_epoch"]
    assert list(book_figures.LINEAR_LIBRARY) == printed["linear_model_uniform_initial"]["accuracy_by_epoch"]
    net = printed["simple_net_784_30_1"]
    assert list(book_figures.HIDDEN.values()) == [net["accuracy"], net["final_valid_loss"]]
