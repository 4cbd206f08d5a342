"""The functions of the acts: steps, gradients of batches, nudges and weights. And what all sections have in common."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_mnist import similarity
from tinygrad_mnist.chapter import SECTIONS, act_descent, act_learning, act_pictures, act_predictions
from tinygrad_mnist.chapter.material import DIGITS, Material, batch, flat_images
from tinygrad_mnist.datasets import strokes
from tinygrad_mnist.datasets.digits import MAX_PIXEL, DataSet, Digits
from tinygrad_mnist.errors import DataError
from tinygrad_mnist.losses import LOSSES
from tinygrad_mnist.networks import dense

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

ROOT = Path(__file__).parents[2]


def drawn(count: int, black: bool = False) -> Material:
    """Return `count` drawn 3s and 7s each, the same for training and test; or as many black images."""
    images = [strokes.draw(digit, count, np.random.default_rng(digit)) for digit in DIGITS]
    digits = Digits.of(np.concatenate(images) * (not black), np.repeat(np.array(DIGITS, np.uint8), count))
    return Material(lambda: DataSet("drawn", "drawn for a test", digits, digits), 0)


@pytest.fixture(scope="module")
def material() -> Material:
    return drawn(100)


@hypothesis.given(st.floats(-10, 10), st.floats(0, 2), st.integers(0, 20))
def test_each_step_on_the_square_multiplies_x_by_1_minus_twice_the_rate(x: float, rate: float, steps: int) -> None:
    expected = x * (1 - 2 * rate) ** steps
    assert act_descent.descend_square(x, rate, steps) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@hypothesis.given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), st.floats(1e-3, 1e3))
def test_the_similarity_of_gradients_depends_only_on_their_directions(numbers: list[float], scale: float) -> None:
    one, similarity = np.array([1, *numbers]), act_learning.cosine_similarity
    perpendicular = np.array([-np.sum(one[1:] ** 2), *numbers])
    others = (scale * one, -scale * one, scale * perpendicular, 0 * one)
    assert [similarity(one, other) for other in others] == pytest.approx([1, -1, 0, 0], abs=1e-6)


def test_the_books_four_3s_have_its_loss_and_its_bias_gradient() -> None:
    # Computed independently of this code, to more digits than the book prints.
    assert act_learning.four_threes() == pytest.approx((0.500601, -0.00075135), rel=1e-5)


def test_the_mean_over_the_last_two_axes_is_the_l1_distance(material: Material) -> None:
    threes = flat_images(material.data.training.only([3]))
    _, table = act_pictures.show_stack(material).tables
    assert table.rows[0] == pytest.approx(similarity.l1(threes[:4], similarity.ideal(threes)).tolist(), rel=1e-12)


def test_the_books_order_is_all_3s_and_then_all_7s(material: Material) -> None:
    assert material.in_book_order.labels.tolist() == [3] * 100 + [7] * 100


def test_the_gradient_of_a_larger_batch_is_more_similar_to_that_of_all_digits(material: Material) -> None:
    rows = act_learning.gradient_similarities(*batch(material.data.training, "float32"), seed=0)
    *described, similarities = zip(*rows, strict=True)
    assert described == [("4 random", "64 random", "200 unshuffled", "all 200"), (50, 4, 1, 1)]
    assert similarities[0] < similarities[1] < similarities[3] == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_small_nudges_leave_the_accuracy_the_same_and_change_the_loss_by_its_derivative(
    seed: int, material: Material
) -> None:
    nudged, derived_by_hand = act_predictions.show_accuracy(Material(lambda: material.data, seed)).tables
    ((derived,),) = derived_by_hand.rows
    *before, after = nudged.rows
    assert len(before) == 3
    assert {row[1] for row in before} == {before[0][1]}
    assert abs(after[1] - before[0][1]) == pytest.approx(1 / 200)
    for nudge, _, change, ratio in before:
        assert change == pytest.approx(nudge * derived, rel=0.01)
        assert ratio == pytest.approx(derived, rel=0.01)


def test_the_first_predicted_digit_changes_at_the_calculated_nudge() -> None:
    # The first becomes 0 if the weight grows by 0.2, the third if it falls by 0.4, and the second never does.
    assert act_predictions.first_change(np.array([0.5, 0, 1]), np.array([-0.1, -0.6, 0.4])) == pytest.approx(0.2)


def test_black_images_are_refused_in_one_sentence(one_sentence: Any) -> None:
    with pytest.raises(DataError, match="black") as refusal:
        act_predictions.show_accuracy(drawn(2, black=True))
    one_sentence(refusal.value)


def test_the_batch_traced_through_the_plain_passes_agrees_with_the_network(material: Material) -> None:
    x, t = batch(material.data.training, "float64")
    rows = act_learning.trace_batch(x, t, seed=5)
    traced = {name.split()[0].rstrip(","): (shape, largest) for name, shape, largest in rows}
    parameters = dense.initialize((784, 1), np.random.default_rng((5, 0)), "float64")
    z, cache = dense.forward(x * MAX_PIXEL, parameters)
    loss, dz = LOSSES["mean"](z, t)
    (dw, db), *_ = dense.backward(dz, cache, parameters)
    for name, array in {"x": x, "z": z, "L": loss, "dz": dz, "dw": dw, "db": db}.items():
        shape, largest = traced[name]
        assert shape == str(array.shape)
        assert abs(largest) == pytest.approx(np.max(np.abs(array)), rel=1e-12)


def test_weights_that_grew_are_white_for_the_3_and_weights_that_shrank_for_the_7() -> None:
    three, seven = act_learning.weight_pictures(np.array([[0.0, 4.0], [-1.0, 1.0]]))
    np.testing.assert_array_equal(three.image, [[0, 255], [0, 127]])
    np.testing.assert_array_equal(seven.image, [[0, 0], [127, 0]])


def test_weights_that_have_not_changed_are_black() -> None:
    assert [picture.image.max() for picture in act_learning.weight_pictures(np.zeros((2, 2)))] == [0, 0]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_has_a_few_sentences_of_text_and_names_files_that_exist(name: str, material: Material) -> None:
    section = SECTIONS[name](material)
    assert 2 <= sum(section.text.count(f"{end} ") for end in ".?") + 1 <= 5
    assert section.text.isascii()
    assert section.code
    assert all((ROOT / path).is_file() for path in section.code)
    for table in section.tables:
        assert {len(row) for row in table.rows} == {len(table.formats)}
        assert len(table.head) in (0, len(table.formats))
