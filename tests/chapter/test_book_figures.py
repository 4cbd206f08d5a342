"""The sections: the book's figures, to the digits that it prints."""

import json
from pathlib import Path

import numpy as np
import pytest

from tinygrad_mnist import baseline, datasets
from tinygrad_mnist.chapter import SECTIONS, book
from tinygrad_mnist.chapter.material import DIGITS, Material, rows
from tinygrad_mnist.chapter.section import Section
from tinygrad_mnist.datasets.digits import DataSet

ROOT = Path(__file__).parents[2]
OF_NUMBERS = ("gradient", "steps", "rates", "sigmoid", "loss")
"""The sections that look at no digits."""


def no_digits() -> DataSet:
    raise AssertionError("this section needs no digits")


@pytest.fixture(scope="module")
def mnist(shared_mnist: Path) -> Material:
    return Material(lambda: datasets.load(str(shared_mnist), DIGITS), seed=0)


@pytest.fixture(scope="module")
def walk(mnist: Material) -> dict[str, Section]:
    """Return all sections, on real MNIST."""
    return {name: show(mnist) for name, show in SECTIONS.items()}


def here(section: Section) -> dict[str, str]:
    """Return our figures as they are shown."""
    return {figure.name: format(figure.here, figure.shown) for figure in section.figures}


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_what_needs_no_digits_asks_for_none_and_has_the_books_figures(name: str) -> None:
    section = SECTIONS[name](Material(no_digits, seed=0))
    assert section.origin == ""
    assert all(figure.same for figure in section.figures)


def test_the_square_has_the_books_value_and_slopes() -> None:
    figures = here(SECTIONS["gradient"](Material(no_digits, seed=0)))
    assert list(figures.values()) == ["9", "6", "125", "6", "8", "20"]


def test_the_slope_by_nudging_comes_nearer_to_6() -> None:
    (table,) = SECTIONS["gradient"](Material(no_digits, seed=0)).tables
    assert [slope for _, slope in table.rows] == pytest.approx([7, 6.1, 6.01, 6.001], rel=1e-9)


def test_the_roller_coaster_falls_as_in_the_book() -> None:
    figures = list(here(SECTIONS["steps"](Material(no_digits, seed=0))).values())
    assert figures[:3] == ["-53195.9", "-3419.7", "-253.9"]
    assert figures[3:] == ["25823.8", "5435.5", "1577.4", "847.4", "709.2", "677.0"]


def test_a_rate_too_small_creeps_a_right_one_falls_and_one_too_large_jumps_away() -> None:
    on_square, on_roller_coaster, parabolas = SECTIONS["rates"](Material(no_digits, seed=0)).tables
    ends = {row[0]: abs(row[3]) for row in on_square.rows}
    assert ends[0.3] < 0.001 < ends[0.9] < ends[0.01] < 3 < ends[1.1]
    losses = {row[0]: row[3] for row in on_roller_coaster.rows}
    assert losses[1e-5] < losses[1e-7] < book.LOSSES[0] < losses[1e-4]
    assert [loss for *_, loss in parabolas.rows] == pytest.approx([25823.8, 677.0, 7.3], rel=1e-2)


def test_the_sigmoid_is_half_at_0_and_steepest_there_and_never_overflows() -> None:
    (table,) = SECTIONS["sigmoid"](Material(no_digits, seed=0)).tables
    by_z = {z: (p, slope) for z, p, slope in table.rows}
    assert (by_z[-1000.0], by_z[0.0], by_z[1000.0]) == ((0, 0), (0.5, 0.25), (1, 0))
    assert by_z[2.0] == pytest.approx((0.880797, 0.104994), rel=1e-5)


def test_the_mnist_loss_is_the_books() -> None:
    figures = list(here(SECTIONS["loss"](Material(no_digits, seed=0))).values())
    assert figures == ["0.1", "0.4", "0.8", "0.4333", "0.2333"]


def test_on_mnist_all_but_what_is_learned_is_the_book_to_the_digits_that_it_prints(walk: dict[str, Section]) -> None:
    for name, section in walk.items():
        if name not in ("linear", "hidden"):
            assert [figure for figure in section.figures if not figure.same] == []
    assert here(walk["tensors"]) == {"pixels alike, of 36": "36"}
    assert list(here(walk["stack"]).values()) == ["6,131", "6,265", "1,010", "1,028"]
    assert list(here(walk["ideals"]).values()) == ["0.1114", "0.1586", "0.2021", "0.3021"]
    assert list(here(walk["similarity"]).values()) == ["0.9168", "0.9854", "0.9511"]
    assert list(here(walk["batches"]).values()) == ["0.5006", "-0.0008"]


def test_on_mnist_what_is_learned_is_as_good_as_in_the_book(walk: dict[str, Section]) -> None:
    # Over five seeds, linear models spread from 98.14 % to 98.28 %, and hidden layers from 98.14 % to 98.53 %.
    (linear,), (hidden, loss) = walk["linear"].figures, walk["hidden"].figures
    assert 0.9785 < linear.here < 0.985
    assert hidden.here == pytest.approx(0.982826, abs=0.003)
    assert loss.here == pytest.approx(0.020415, abs=0.002)


def test_the_books_three_is_number_10000_of_the_training_file(mnist: Material, shared_mnist: Path) -> None:
    whole = datasets.load_folder(shared_mnist, range(10)).training
    np.testing.assert_array_equal(mnist.three, whole.images[10000])


def test_the_mean_over_the_last_two_axes_is_the_baselines_distance(mnist: Material, walk: dict[str, Section]) -> None:
    training, test = (part.only([3]) for part in (mnist.data.training, mnist.data.test))
    expected = baseline.l1(rows(test)[:4], baseline.ideal(rows(training)))
    ((first,),) = [table.rows for table in walk["stack"].tables if not table.head]
    assert first == pytest.approx(expected.tolist(), rel=1e-12)


def test_on_mnist_a_batch_of_threes_is_less_like_all_than_as_many_mixed_digits(walk: dict[str, Section]) -> None:
    (table,) = walk["batches"].tables
    likeness = {name: alike for name, _, alike in table.rows}
    assert likeness["4 at random"] < likeness["64 at random"] < likeness["256 at random"]
    assert likeness["256 unmixed"] < likeness["64 at random"]


def test_the_figures_are_those_that_the_book_was_found_to_print() -> None:
    path = ROOT.parent / "shared" / "oracles" / "chapter4.json"
    if not path.is_file():
        pytest.skip(f"the book's figures are not in {path}")
    printed = json.loads(path.read_text("utf-8"))
    coaster, loss, threes = (printed[key] for key in ("roller_coaster", "mnist_loss", "logits_of_four_threes"))
    assert [list(row) for row in book.PATCH] == printed["patch_of_a_training_three"]["values"]
    assert list(book.DISTANCES.values()) == [
        printed["ideal_digit_distances"]["training image 10000"][key]
        for key in ("l1_to_3", "l1_to_7", "rmse_to_3", "rmse_to_7")
    ]
    assert list(book.SIMILARITY.values()) == list(printed["pixel_similarity_l1"].values())
    assert list(book.NOISE) == coaster["noise"]
    assert list(book.FIRST_PARAMETERS) == coaster["initial_parameters"]
    assert list(book.FIRST_GRADIENT) == coaster["first_gradient"]
    assert list(book.LOSSES) == coaster["losses"]
    assert (list(book.PREDICTIONS), list(book.TARGETS)) == (loss["predictions"], loss["targets"])
    assert (list(book.PREDICTION_DISTANCES), book.LOSS) == (loss["distances"], loss["loss"])
    assert loss["loss_with_last_prediction_0.8"] == book.BETTER_LOSS
    assert (list(book.FOUR_LOGITS), book.FOUR_LOSS) == (threes["logits"], threes["loss"])
    assert threes["bias_gradient"] == book.FOUR_BIAS_GRADIENT
    assert list(book.LINEAR_OWN) == printed["linear_model"]["accuracy_by_epoch"]
    assert list(book.LINEAR_LIBRARY) == printed["linear_model_uniform_initial"]["accuracy_by_epoch"]
    net = printed["simple_net_784_30_1"]
    assert (net["accuracy"], net["final_valid_loss"]) == (book.HIDDEN_ACCURACY, book.HIDDEN_LOSS)
