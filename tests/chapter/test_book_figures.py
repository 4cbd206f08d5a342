"""The sections have the book's figures, in all digits that it prints."""

import json
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist import datasets, similarity
from tinygrad_mnist.chapter import SECTIONS, book_figures
from tinygrad_mnist.chapter.material import DIGITS, Material, flat_images
from tinygrad_mnist.chapter.section import Section
from tinygrad_mnist.datasets.digits import DataSet

ROOT = Path(__file__).parents[2]
WITHOUT_DIGITS = ("gradient", "steps", "rates", "sigmoid", "loss")
"""The sections that use no digits."""


def load_nothing() -> DataSet:
    raise AssertionError("this section uses no digits")


@pytest.fixture(scope="module")
def mnist(shared_mnist: Path) -> Material:
    return Material(lambda: datasets.load(str(shared_mnist), DIGITS), seed=0)


@pytest.fixture(scope="module")
def walk(mnist: Material) -> dict[str, Section]:
    """Return all sections, computed from real MNIST."""
    return {name: show(mnist) for name, show in SECTIONS.items()}


def here(section: Section) -> dict[str, str]:
    """Return our figures as they are printed."""
    return {figure.name: format(figure.here, figure.number_format) for figure in section.figures}


@pytest.mark.parametrize("name", WITHOUT_DIGITS)
def test_sections_without_digits_load_none_and_have_the_books_figures(name: str) -> None:
    section = SECTIONS[name](Material(load_nothing, seed=0))
    assert section.origin == ""
    assert all(figure.same for figure in section.figures)


def test_the_square_has_the_books_value_and_derivatives() -> None:
    figures = here(SECTIONS["gradient"](Material(load_nothing, seed=0)))
    assert list(figures.values()) == ["9", "6", "125", "6", "8", "20"]


def test_the_measured_derivative_approaches_6() -> None:
    (table,) = SECTIONS["gradient"](Material(load_nothing, seed=0)).tables
    assert [derivative for _, derivative in table.rows] == pytest.approx([7, 6.1, 6.01, 6.001], rel=1e-9)


def test_the_roller_coasters_loss_falls_as_in_the_book() -> None:
    figures = list(here(SECTIONS["steps"](Material(load_nothing, seed=0))).values())
    assert figures[:3] == ["-53195.9", "-3419.7", "-253.9"]
    assert figures[3:] == ["25823.8", "5435.5", "1577.4", "847.4", "709.2", "677.0"]


def test_a_small_rate_is_slow_a_good_one_converges_and_a_large_one_diverges() -> None:
    on_square, on_roller_coaster, parabolas = SECTIONS["rates"](Material(load_nothing, seed=0)).tables
    ends = {row[0]: abs(row[3]) for row in on_square.rows}
    assert ends[0.3] < 0.001 < ends[0.9] < ends[0.01] < 3 < ends[1.1]
    losses = {row[0]: row[3] for row in on_roller_coaster.rows}
    assert losses[1e-5] < losses[1e-7] < book_figures.LOSSES[0] < losses[1e-4]
    assert [loss for *_, loss in parabolas.rows] == pytest.approx([25823.8, 677.0, 7.3], rel=1e-2)


def test_the_sigmoid_is_one_half_at_0_and_steepest_there_and_never_overflows() -> None:
    (table,) = SECTIONS["sigmoid"](Material(load_nothing, seed=0)).tables
    by_z = {z: (p, derivative) for z, p, derivative in table.rows}
    assert (by_z[-1000.0], by_z[0.0], by_z[1000.0]) == ((0, 0), (0.5, 0.25), (1, 0))
    assert by_z[2.0] == pytest.approx((0.880797, 0.104994), rel=1e-5)


def test_the_mean_loss_has_the_books_figures() -> None:
    figures = list(here(SECTIONS["loss"](Material(load_nothing, seed=0))).values())
    assert figures == ["0.1", "0.4", "0.8", "0.4333", "0.2333"]


def test_on_mnist_all_figures_except_those_of_training_are_the_books(walk: dict[str, Section]) -> None:
    for name, section in walk.items():
        if name not in ("linear", "hidden"):
            assert [figure for figure in section.figures if not figure.same] == []
    assert here(walk["tensors"]) == {"equal pixels, of 36": "36"}
    assert list(here(walk["stack"]).values()) == ["6,131", "6,265", "1,010", "1,028"]
    assert list(here(walk["ideals"]).values()) == ["0.1114", "0.1586", "0.2021", "0.3021"]
    assert list(here(walk["similarity"]).values()) == ["0.9168", "0.9854", "0.9511"]
    assert list(here(walk["batches"]).values()) == ["0.5006", "-0.0008"]


def test_on_mnist_the_trained_models_are_as_accurate_as_the_books(walk: dict[str, Section]) -> None:
    # Over five seeds, linear models reached 98.14 % to 98.28 %, and models with a hidden layer 98.14 % to 98.53 %.
    (linear,), (hidden, loss) = walk["linear"].figures, walk["hidden"].figures
    assert 0.9785 < linear.here < 0.985
    assert hidden.here == pytest.approx(0.982826, abs=0.003)
    assert loss.here == pytest.approx(0.020415, abs=0.002)


def test_the_books_3_is_image_10000_of_the_training_file(mnist: Material, shared_mnist: Path) -> None:
    all_digits = datasets.load_folder(shared_mnist, range(10)).training
    np.testing.assert_array_equal(mnist.three, all_digits.images[10000])


def test_the_mean_over_the_last_two_axes_is_the_l1_distance(mnist: Material, walk: dict[str, Section]) -> None:
    training, test = (part.only([3]) for part in (mnist.data.training, mnist.data.test))
    expected = similarity.l1(flat_images(test)[:4], similarity.ideal(flat_images(training)))
    ((first,),) = [table.rows for table in walk["stack"].tables if not table.head]
    assert first == pytest.approx(expected.tolist(), rel=1e-12)


def test_on_mnist_a_batch_of_3s_has_a_less_similar_gradient_than_random_digits(
    walk: dict[str, Section],
) -> None:
    (table,) = walk["batches"].tables
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
    assert (list(book_figures.PREDICTION_DISTANCES), book_figures.LOSS) == (loss["distances"], loss["loss"])
    assert loss["loss_with_last_prediction_0.8"] == book_figures.BETTER_LOSS
    assert (list(book_figures.FOUR_LOGITS), book_figures.FOUR_LOSS) == (threes["logits"], threes["loss"])
    assert threes["bias_gradient"] == book_figures.FOUR_BIAS_GRADIENT
    assert list(book_figures.LINEAR_OWN) == printed["linear_model"]["accuracy_by_epoch"]
    assert list(book_figures.LINEAR_LIBRARY) == printed["linear_model_uniform_initial"]["accuracy_by_epoch"]
    net = printed["simple_net_784_30_1"]
    assert (net["accuracy"], net["final_valid_loss"]) == (book_figures.HIDDEN_ACCURACY, book_figures.HIDDEN_LOSS)
