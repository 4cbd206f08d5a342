"""The front door: what `import tinygrad_mnist` offers, and how kind it is to mistakes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tinygrad_mnist as tm
from tinygrad_mnist.classifier import NotFittedError
from tinygrad_mnist.datasets import folders, strokes
from tinygrad_mnist.datasets.digits import DataSet
from tinygrad_mnist.errors import CheckpointError, DataError, TrainingError
from tinygrad_mnist.runs import checkpoint
from tinygrad_mnist.train import TrainingState

QUICK = {"epochs": 2, "seed": 1}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Return drawn threes and sevens, in a folder as a user would keep them."""
    folder = tmp_path_factory.mktemp("digits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "is_checkout", lambda: True)
        patch.setattr(strokes, "TRAINING", 100)
        patch.setattr(strokes, "TEST", 20)
        patch.chdir(folder)
        return tm.load_digits("strokes", digits=(3, 7))


@pytest.fixture(scope="module")
def model(digits: DataSet) -> tm.DigitClassifier:
    return tm.DigitClassifier(**QUICK).fit(digits.train.images, digits.train.labels)


def test_four_lines_load_train_score_and_predict(digits: DataSet, model: tm.DigitClassifier) -> None:
    assert model.score(digits.test.images, digits.test.labels) > 0.9
    assert set(model.predict(digits.test.images)) == {3, 7}
    assert model.classes_.tolist() == [3, 7]
    p = model.predict_proba(digits.test.images)
    assert p.shape == (40, 2)
    assert np.allclose(p.sum(axis=1), 1)
    assert np.array_equal(model.classes_[p.argmax(axis=1)], model.predict(digits.test.images))


def test_images_have_three_shapes_and_two_types(digits: DataSet, model: tm.DigitClassifier) -> None:
    images = digits.test.images
    expected = model.predict_proba(images)
    for given in (images / 255, (images / 255).astype("float32"), images.reshape(len(images), -1), images.tolist()):
        assert np.array_equal(model.predict_proba(given), expected)
    assert np.allclose(model.predict_proba(images[0]), expected[:1])
    assert model.predict(images[0] / 255).shape == (1,)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda x: x.astype(float), "float64 from 0 to 255: use whole numbers"),
        (lambda x: x / 127.5 - 1, "from -1 to 1: use"),
        (lambda x: x.astype(int) * 2, "from 0 to [0-9]+: use whole numbers"),
        (lambda x: (x > 100).astype(int), "from 0 to 1: use"),
        (lambda x: np.where(x > 0, np.nan, 0.0), "NaN"),
        (lambda x: x.astype(str), "the images hold <U"),
        (lambda x: x[:0], "0"),
        (lambda x: x[:, :20], "X has 560 features, but DigitClassifier is expecting 784"),
        (lambda _: None, "shape"),
    ],
)
def test_images_that_are_not_images_are_refused_in_one_sentence(
    spoil: Callable[[NDArray[Any]], Any], sentence: str, digits: DataSet, model: tm.DigitClassifier
) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence) as refusal:
        model.predict(spoil(digits.test.images))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.arange(3), "20 images need"),
        (np.zeros(20), "1 class"),
        (np.linspace(0, 1, 20), "continuous"),
        (np.full(20, np.nan), "NaN"),
        (None, "y is None"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: Any, sentence: str, digits: DataSet) -> None:
    with pytest.raises(ValueError, match=sentence):
        tm.DigitClassifier(**QUICK).fit(digits.test.images[:20], labels)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"preset": "fastest"}, "preset is 'fastest', not one of linear"),
        ({"hidden": 30}, "hidden is 30"),
        ({"loss": "hinge"}, "loss is 'hinge'"),
        ({"learning_rate": "fast"}, "learning_rate"),
    ],
)
def test_a_setting_that_is_not_valid_is_named(settings: dict[str, Any], sentence: str, digits: DataSet) -> None:
    with pytest.raises(ValueError, match=sentence):
        tm.DigitClassifier(**settings).fit(digits.test.images, digits.test.labels)


def test_a_rate_that_is_too_large_ends_in_a_training_error(digits: DataSet) -> None:
    with pytest.raises(TrainingError):
        tm.DigitClassifier(hidden=(30, 30), learning_rate=1e30).fit(digits.train.images, digits.train.labels)


def test_a_callback_sees_every_epoch_and_numbers_and_lists_are_taken_as_people_write_them(digits: DataSet) -> None:
    seen: list[TrainingState] = []
    model = tm.DigitClassifier(learning_rate=1, hidden=[4], **QUICK)
    model.fit(digits.train.images, digits.train.labels, callbacks=[seen.append])
    assert [state.epoch for state in seen] == [point[0] for point in model.history_] == [1, 2]
    assert model.checkpoint_.layer_sizes == (784, 4, 1)


def test_labels_may_be_texts_but_are_not_saved(digits: DataSet, tmp_path: Path) -> None:
    names = np.where(digits.train.labels == 3, "three", "seven")
    model = tm.DigitClassifier(**QUICK).fit(digits.train.images, names)
    assert set(model.predict(digits.test.images)) == {"three", "seven"}
    with pytest.raises(CheckpointError, match="whole numbers from 0 to 9"):
        model.save(tmp_path / "model.npz")


def test_a_saved_model_predicts_the_same_and_can_be_trained_on(
    digits: DataSet, model: tm.DigitClassifier, tmp_path: Path
) -> None:
    model.save(tmp_path / "model.npz")
    loaded = tm.load_model(str(tmp_path / "model.npz"))
    assert np.array_equal(loaded.predict_proba(digits.test.images), model.predict_proba(digits.test.images))
    again = loaded.fit(digits.train.images, digits.train.labels)
    assert np.array_equal(again.predict_proba(digits.test.images), model.predict_proba(digits.test.images))


def test_a_saved_model_knows_when_predictions_are_not_sure(
    digits: DataSet, model: tm.DigitClassifier, tmp_path: Path
) -> None:
    model.save(tmp_path / "model.npz")
    stored = checkpoint.load(tmp_path / "model.npz")
    assert stored.view.shape == digits.train.images.shape[1:]
    assert 0.5 <= stored.limits["least_probability"] <= 1


def test_a_model_is_not_saved_before_it_is_fitted(tmp_path: Path) -> None:
    for use in (lambda new: new.save(tmp_path / "m.npz"), lambda new: new.predict(np.zeros((28, 28)))):
        with pytest.raises(NotFittedError, match="call fit first"):
            use(tm.DigitClassifier())


def test_settings_are_read_and_changed_by_name() -> None:
    model = tm.DigitClassifier(hidden=(30,)).set_params(seed=4)
    assert repr(model) == "DigitClassifier(hidden=(30,), seed=4)"
    assert model.get_params()["hidden"] == (30,)
    with pytest.raises(ValueError, match="has no setting 'neurons', but preset, network"):
        model.set_params(neurons=3)


def test_notebooks_show_pictures(digits: DataSet, model: tm.DigitClassifier) -> None:
    for shown in (digits, digits.train, model):
        page = shown._repr_html_()
        assert "data:image/png;base64," in page
        assert "http" not in page
    assert "not fitted" in tm.DigitClassifier()._repr_html_()
    assert "200 for training, 40 for testing" in repr(digits)
    assert repr(digits.test) == "Digits(40 images of 28 x 28: 3, 7)"


def test_only_what_exists_is_loaded(tmp_path: Path) -> None:
    for wrong in ((), (3, 3), (3, 11), (-1, 2)):
        with pytest.raises(ValueError, match="different whole numbers"):
            tm.load_digits("strokes", digits=wrong)
    with pytest.raises(DataError, match="is not a folder"):
        tm.load_digits(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="does not exist"):
        tm.load_model(tmp_path / "nothing.npz")


def test_the_package_imports_little_and_names_what_it_has() -> None:
    program = "import sys, tinygrad_mnist as tm; print(dir(tm)); assert 'numpy' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in ("DigitClassifier", "load_digits", "load_model"))
    with pytest.raises(AttributeError, match="no attribute 'load_digit'"):
        _ = tm.load_digit
