"""What the sections are made of: figures, curves, steps, gradients of batches, and nudges."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import network
from tinygrad_mnist.chapter import SECTIONS, accuracy, batches, linear, rates, tensors
from tinygrad_mnist.chapter.material import DIGITS, Material, batch
from tinygrad_mnist.chapter.plot import HEIGHT, WIDTH, plot
from tinygrad_mnist.chapter.section import Figure
from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.network import Layer
from tinygrad_mnist.passes import mean_loss

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

ROOT = Path(__file__).parents[2]


def drawn(count: int, blank: bool = False) -> DataSet:
    """Return so many drawn threes, and as many sevens, both to train and to test on; or as many white sheets."""
    images = [strokes.draw(digit, count, np.random.default_rng(digit)) for digit in DIGITS]
    digits = Digits.of(np.concatenate(images) * (not blank), np.repeat(np.array(DIGITS, np.uint8), count))
    return DataSet("drawn", "drawn for a test", digits, digits)


@pytest.fixture(scope="module")
def data() -> DataSet:
    return drawn(100)


@pytest.mark.parametrize(("here", "same"), [(0.43333, True), (0.43326, True), (0.43324, False), (0.4334, False)])
def test_a_figure_is_the_same_to_the_digits_that_the_book_prints(here: float, same: bool) -> None:
    assert Figure("loss", 0.4333, here).same is same


def test_what_cannot_be_compared_is_never_the_same() -> None:
    assert not Figure("loss", 0.4333, 0.4333, comparable=False).same


def test_a_curve_ends_in_the_corners_of_its_picture() -> None:
    x = np.linspace(-3, 5, 100)
    image = plot("a line", [(x, 2 * x)]).image
    assert image.shape == (HEIGHT, WIDTH)
    assert image[HEIGHT - 1, 0] == image[0, WIDTH - 1] == 255
    assert image[0, 0] == image[HEIGHT - 1, WIDTH - 1] == 0
    assert np.all(image.max(axis=0) == 255)


def test_two_curves_share_one_scale() -> None:
    x = np.linspace(0, 1, 100)
    image = plot("two", [(x, x), (x, np.full(100, 3.0))]).image
    assert np.all(image[0] == 255)
    assert image[np.round((HEIGHT - 1) * 2 / 3).astype(int), WIDTH - 1] == 255


@hypothesis.given(st.floats(-10, 10), st.floats(0, 2), st.integers(0, 20))
def test_each_step_down_the_square_multiplies_x_by_1_less_twice_the_rate(x: float, rate: float, steps: int) -> None:
    assert rates.descend(x, rate, steps) == pytest.approx(x * (1 - 2 * rate) ** steps, rel=1e-9, abs=1e-12)


@hypothesis.given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), st.floats(1e-3, 1e3))
def test_gradients_are_alike_by_their_directions_alone(numbers: list[float], scale: float) -> None:
    one = np.array(numbers)
    if np.linalg.norm(one) < 1e-3:
        assert batches.alike(one * 0, one) == 0
    else:
        assert batches.alike(one, scale * one) == pytest.approx(1, rel=1e-12)
        assert batches.alike(one, -scale * one) == pytest.approx(-1, rel=1e-12)
        assert batches.alike(one, np.roll(one, 1) - np.dot(one, np.roll(one, 1)) / np.dot(one, one) * one) == (
            pytest.approx(0, abs=1e-6)
        )


def test_the_books_four_threes_have_its_loss_and_its_slope_by_the_bias() -> None:
    assert [f"{number:.4f}" for number in batches.four_threes()] == ["0.5006", "-0.0008"]
    # Worked out apart from this code, to more digits than the book prints.
    assert batches.four_threes() == pytest.approx((0.500601, -0.00075135), rel=1e-5)


def test_a_batch_in_the_books_order_is_all_threes(data: DataSet) -> None:
    in_order = Material(lambda: data, 0).in_the_books_order
    assert in_order.labels.tolist() == [3] * 100 + [7] * 100


def test_the_more_digits_in_a_batch_the_more_its_gradient_is_that_of_all(data: DataSet) -> None:
    found = batches.likenesses(*batch(data.training, "float32"), seed=0)
    assert [name for name, *_ in found] == ["4 at random", "64 at random", "200 unmixed", "all 200"]
    assert [steps for _, steps, _ in found] == [50, 4, 1, 1]
    likeness = [alike for *_, alike in found]
    assert likeness[0] < likeness[1] < likeness[3] == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_until_a_digit_changes_sides_the_accuracy_stands_still_and_the_loss_moves_by_its_slope(
    seed: int, data: DataSet
) -> None:
    by_nudge, by_hand = accuracy.show(Material(lambda: data, seed)).tables
    ((derived,),) = by_hand.rows
    *before, after = by_nudge.rows
    assert len({row[1] for row in before}) == 1
    assert len(before) == 3
    assert abs(after[1] - before[0][1]) == pytest.approx(1 / 200)
    for nudge, _, moves, slope in before:
        assert moves == pytest.approx(nudge * derived, rel=0.01)
        assert slope == pytest.approx(derived, rel=0.01)


def test_the_first_digit_changes_sides_just_beyond_the_nudge_that_was_worked_out() -> None:
    x, t = np.array([[0.5, 1.0], [0.0, 1.0], [1.0, 1.0]]), np.array([[1], [0], [0]])
    probe = accuracy.Probe(x, t, Layer(np.array([[1.0], [-0.6]]), np.zeros(1)), pixel=0)
    # z is -0.1, -0.6 and 0.4; the first becomes 0 with 0.2 more of the weight, and the second with none.
    assert accuracy.first_flip(probe, x @ probe.layer.w) == pytest.approx(0.2)
    assert accuracy.look(probe, 0.1999)[0] == 1 / 3
    assert accuracy.look(probe, 0.2001)[0] == 2 / 3


def test_blank_digits_are_refused_in_one_sentence(one_sentence: Any) -> None:
    with pytest.raises(DataError, match="blank") as refusal:
        accuracy.show(Material(lambda: drawn(2, blank=True), 0))
    one_sentence(refusal.value)


def test_the_way_back_through_the_linear_model_is_that_of_the_network(data: DataSet) -> None:
    x, t = batch(data.training, "float64")
    found = {name.split()[0].rstrip(","): (shape, largest) for name, shape, largest in linear.way(x, t, seed=5)}
    parameters = network.initialise((784, 1), np.random.default_rng((5, 0)), "float64")
    passed = network.forward(x, parameters)
    loss, dz = mean_loss.of_logits(passed[0].z, t)
    (dw, db), *_ = network.backward(dz, passed, parameters)
    expected = {"x": x, "z": passed[0].z, "L": loss, "dz": dz, "dw": dw, "db": db}
    for name, array in expected.items():
        shape, largest = found[name]
        assert shape == str(array.shape)
        assert abs(largest) == pytest.approx(np.max(np.abs(array)), rel=1e-12)


def test_weights_that_grew_are_drawn_for_a_three_and_weights_that_shrank_for_a_seven() -> None:
    three, seven = linear.pictures(np.array([[0.0, 4.0], [-1.0, 1.0]]))
    np.testing.assert_array_equal(three.image, [[0, 255], [0, 127]])
    np.testing.assert_array_equal(seven.image, [[0, 0], [127, 0]])


def test_weights_that_learned_nothing_are_drawn_as_nothing() -> None:
    assert [picture.image.max() for picture in linear.pictures(np.zeros((2, 2)))] == [0, 0]


def test_a_refusal_says_which_row_is_wrong() -> None:
    assert "row 1" in tensors.refusal([[1, 2], [3]])


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_explains_itself_in_a_few_sentences_and_names_code_that_is_there(
    name: str, data: DataSet
) -> None:
    section = SECTIONS[name](Material(lambda: data, 0))
    assert 2 <= sum(section.text.count(f"{end} ") for end in ".?") + 1 <= 5
    assert section.text.isascii()
    assert section.code
    for path in section.code:
        assert (ROOT / path).is_file()
    for table in section.tables:
        assert {len(row) for row in table.rows} == {len(table.formats)}
        assert len(table.head) in (0, len(table.formats))
