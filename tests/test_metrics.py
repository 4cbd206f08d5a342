"""What people read: digits, accuracy, mistakes and the confusion matrix."""

import numpy as np
import pytest

from tests.fixtures import ToDevice
from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.backend import to_host


def test_two_of_the_books_three_predictions_are_correct_and_all_three_with_its_better_last_one() -> None:
    t = np.array([[1], [0], [1]])
    for p, share in (([[0.9], [0.4], [0.2]], 2 / 3), ([[0.9], [0.4], [0.8]], 1)):
        z = np.log(p) - np.log1p(np.negative(p))
        assert metrics.accuracy(z, t) == share


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32"])
def test_a_logit_must_exceed_0_to_predict_1_for_targets_of_any_type(dtype: str) -> None:
    z = np.array([[-0.0001], [0.0], [0.0001], [np.nan]])
    assert metrics.accuracy(z, np.array([[0], [0], [1], [1]]).astype(dtype)) == 3 / 4


def test_the_largest_of_several_outputs_decides() -> None:
    z = np.array([[-5.0, -4.0, -9.0], [3.0, 2.0, 9.0], [1.0, 0.0, -1.0]])
    assert metrics.accuracy(z, np.array([[0, 1, 0], [0, 0, 1], [0, 1, 0]])) == 2 / 3


def test_nan_is_never_correct() -> None:
    assert metrics.accuracy(np.array([[np.nan], [np.nan]]), np.array([[1], [0]])) == 0


def test_an_empty_batch_and_targets_of_a_different_shape_are_refused_by_name() -> None:
    for z, t, named in ((64, 1), (64,), r"\(64, 1\).*\(64,\)"), ((0, 1), (0, 1), r"\(0, 1\)"):
        with pytest.raises(ValueError, match=named):
            metrics.accuracy(np.zeros(z), np.zeros(t))


def test_accuracy_is_a_plain_number_on_every_device(on_device1: ToDevice) -> None:
    z, t = np.array([[0.9], [-0.4], [-0.2]]), np.array([[1], [0], [1]])
    share = metrics.accuracy(on_device1(z), on_device1(t))
    assert type(share) is float
    assert share == 2 / 3


def test_the_confusion_matrix_counts_every_image_once() -> None:
    rng = np.random.default_rng(0)
    labels, predicted = rng.choice([3, 7, 8], (2, 1000))
    counts = metrics.confusion(labels, predicted, (7, 3, 8))
    assert counts.sum() == 1000
    np.testing.assert_array_equal(counts.sum(axis=1), [np.sum(labels == digit) for digit in (7, 3, 8)])
    np.testing.assert_array_equal(counts.sum(axis=0), [np.sum(predicted == digit) for digit in (7, 3, 8)])


def test_a_row_is_the_true_digit_and_a_column_the_predicted_one() -> None:
    counts = metrics.confusion(np.array([7, 7, 3]), np.array([3, 7, 3]), (3, 7))
    np.testing.assert_array_equal(counts, [[1, 0], [1, 1]])
    assert metrics.accuracy_per_digit(counts, (3, 7)) == {"3": 1.0, "7": 0.5}


def test_a_digit_without_images_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="digit 7"):
        metrics.accuracy_per_digit(np.array([[1, 0], [0, 0]]), (3, 7))


def test_the_most_confident_mistakes_come_first() -> None:
    z = np.array([[1.0], [-3.0], [2.0], [-2.0], [0.5]])
    np.testing.assert_array_equal(metrics.most_wrong(z, np.array([[0], [1], [0], [0], [1]])), [1, 2, 0])


def test_a_mistake_is_worse_if_the_true_digit_was_less_probable() -> None:
    z = np.array([[9.0, 8.0, -9.0], [5.0, -5.0, -9.0], [9.0, -9.0, -9.0]])
    np.testing.assert_array_equal(metrics.most_wrong(z, np.array([[0, 1, 0], [0, 1, 0], [1, 0, 0]])), [1, 0])


@pytest.mark.parametrize("outputs", [1, 3])
def test_mistakes_are_exactly_the_rows_that_accuracy_does_not_count(outputs: int) -> None:
    rng = np.random.default_rng(outputs)
    z, labels = rng.standard_normal((500, outputs)), rng.integers(0, max(outputs, 2), 500)
    t = labels[:, None] if outputs == 1 else np.eye(outputs, dtype=np.uint8)[labels]
    mistakes = metrics.most_wrong(z, t)
    assert len(set(mistakes.tolist())) == len(mistakes) == round(500 * (1 - metrics.accuracy(z, t)))
    assert not metrics.correct(z, t)[mistakes].any()


def test_mistakes_and_units_are_found_on_a_different_device(on_device1: ToDevice) -> None:
    z, t = np.array([[0.9], [0.4], [-0.2]]), np.array([[0], [0], [0]])
    for found in (metrics.most_wrong(on_device1(z), on_device1(t)), metrics.strongest_units(on_device1(z))):
        np.testing.assert_array_equal(to_host(found)[:2], [0, 1])


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ((3, 7), [[1], [0]]),
        ((7, 3), [[0], [1]]),
        ((3, 7, 5), [[1, 0, 0], [0, 1, 0]]),
        ((5, 7, 3), [[0, 0, 1], [0, 1, 0]]),
    ],
)
def test_the_target_is_1_for_the_digit_itself_in_any_order(digits: tuple[int, ...], expected: list[list[int]]) -> None:
    np.testing.assert_array_equal(metrics.targets(np.array([3, 7]), digits), expected)


@pytest.mark.parametrize("digits", [(3, 7), (7, 3), (4, 9, 1), tuple(range(10))])
def test_targets_taken_as_logits_are_classified_as_the_labels_they_were_made_from(digits: tuple[int, ...]) -> None:
    labels = np.array([*digits, *reversed(digits)])
    z = metrics.targets(labels, digits) - 0.5
    np.testing.assert_array_equal(metrics.classify(z, digits), labels)


def test_confidence_is_the_probability_of_the_predicted_digit_and_not_of_the_first() -> None:
    p = metrics.confidence(np.log([[3.0], [1 / 3], [1.0]]))
    np.testing.assert_allclose(p, [0.75, 0.75, 0.5], rtol=1e-15)


def test_the_largest_of_several_outputs_gives_the_confidence() -> None:
    p = metrics.confidence(np.log([[1.0, 3.0, 0.5], [0.1, 0.1, 0.2]]))
    np.testing.assert_allclose(p, [2 / 3, 0.5], rtol=1e-15)
