"""A classifier with the manners of scikit-learn: fit, predict, predict_proba, score, and settings that can be tuned."""

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_mnist import metrics
from tinygrad_mnist.arrays.backend import Array, choose_backend, to_host
from tinygrad_mnist.datasets.digits import DataSet, Digits
from tinygrad_mnist.datasets.input_images import as_bytes
from tinygrad_mnist.datasets.progress import Progress
from tinygrad_mnist.errors import CheckpointError
from tinygrad_mnist.photos import not_sure
from tinygrad_mnist.runs import checkpoint, presets, resume
from tinygrad_mnist.runs.run import Run, execute, split
from tinygrad_mnist.train import Settings, TrainingState

MAX_CLASSES = 256
"""The largest number of classes: a label is a byte."""


@dataclass(eq=False, repr=False)
class DigitClassifier:
    """Learns to tell digits apart, or images with any labels.

    The settings are those of `python cli.py train`: a preset ("linear", "chapter", "quick" or "best"), and values that
    override it, if they are not None. `hidden` is the sizes of the hidden layers, `features` those of the convolutions,
    and `backend` is "auto", "numpy" or "cupy". The same seed gives the same network.

    Images are bytes from 0 to 255 or floats from 0 to 1, with light ink on a dark background as in MNIST, of the shape
    (N, H, W) or (N, H*W), or one image (H, W).

    After `fit`, `classes_` has the labels in order, `n_features_in_` the number of pixels of an image, `history_` the
    epochs as (epoch, loss, validation accuracy), and `checkpoint_` the network.
    """

    preset: str = "linear"
    _: KW_ONLY
    network: str | None = None
    hidden: Sequence[int] | None = None
    features: Sequence[int] | None = None
    loss: str | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    schedule: str | None = None
    batch: int | None = None
    epochs: int | None = None
    patience: int | None = None
    keep: str | None = None
    augment: bool | None = None
    hold_out: float | None = None
    dtype: str | None = None
    seed: int | None = 0
    backend: str = "auto"

    def fit(self, X: ArrayLike, y: ArrayLike, *, callbacks: Sequence[Callable[[TrainingState], object]] = ()) -> Self:
        """Train on images X (N, H, W) or (N, H*W) and their labels y (N,). Returns this classifier.

        A share of the images is held out to decide when to stop. Each callback is called after each epoch with its
        state: epoch, loss, valid_accuracy, parameters and so on. Raises ValueError if the images, the labels or a
        setting are not valid, and TrainingError if the loss is not finite.
        """
        pixels = as_bytes(X)
        classes, positions = _classes(y, len(pixels))
        # Digits keep their own names, so that the command line can continue the training.
        digits = tuple(classes.tolist()) if _are_digits(classes) else tuple(range(len(classes)))
        examples = Digits.of(pixels, np.array(digits, np.uint8)[positions])
        data, settings = DataSet("", "", examples, examples), self._settings(len(classes))
        backend, parts = choose_backend(self.backend), split(settings, data)
        run = Run(resume.new(settings, digits, data, backend.description), Progress())
        execute(run, parts, backend, lambda state: [callback(state) for callback in callbacks])
        self.classes_, self.n_features_in_, self.history_ = classes, pixels[0].size, run.curve
        sample = not_sure.sample(parts.training, parts.validation, digits)
        self.checkpoint_ = replace(run.kept, limits=not_sure.measure(sample, settings.features, run.kept.parameters))
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the predicted labels (N,) for images X (N, H, W) or (N, H*W), or one image (H, W).

        Raises ValueError if the images are not valid or have a different number of pixels from those in `fit`.
        """
        z = self._logits(X)
        return np.asarray(self.classes_[to_host(metrics.classify(z, range(len(self.classes_))))])

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the probability (N, C) of each label, in the order of `classes_`. Each row sums to 1."""
        return to_host(metrics.probabilities(self._logits(X)))

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Return the share, from 0 to 1, of the images X whose label y is predicted correctly."""
        predicted, expected = self.predict(X), np.asarray(y)
        if predicted.shape != expected.shape:
            raise ValueError(f"there are {len(predicted)} images, and the labels have shape {expected.shape}.")
        return float(np.mean(predicted == expected))

    def save(self, path: str | Path) -> None:
        """Write the trained network to a file, which `load_model` and every command read.

        Raises CheckpointError if the file cannot be written, or if a label is not a digit from 0 to 9.
        """
        self._require_fitted()
        if not _are_digits(self.classes_):
            raise CheckpointError(f"the labels {self.classes_} cannot be saved: use whole numbers from 0 to 9.")
        checkpoint.require_replaceable(Path(path))
        checkpoint.save(replace(self.checkpoint_, path=Path(path)))

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn passes it
        """Return the settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **settings: Any) -> Self:
        """Change settings by name. Raises ValueError for a name that is not a setting."""
        names = self.get_params()
        if unknown := settings.keys() - names.keys():
            raise ValueError(f"DigitClassifier has no setting {min(unknown)!r}, but {', '.join(names)}")
        vars(self).update(settings)
        return self

    def __repr__(self) -> str:
        """Return the call that makes this classifier, with the settings that differ from the defaults."""
        values = ((field.name, getattr(self, field.name), field.default) for field in fields(self))
        given = (f"{name}={value!r}" for name, value, default in values if value != default)
        return f"{type(self).__name__}({', '.join(given)})"

    def _repr_html_(self) -> str:
        """Return the classifier as a notebook shows it: its layers, and pictures of the first layer's weights."""
        if not hasattr(self, "checkpoint_"):
            return f"<p>{html.escape(repr(self))}, not fitted yet</p>"
        from tinygrad_mnist.datasets import notebook  # imports Pillow

        w = self.checkpoint_.parameters[0].w
        side = math.isqrt(len(w))
        pictures = w.T.reshape(w.shape[1], -1, side if side * side == len(w) else len(w))
        grays = np.round(127.5 * (1 + pictures / (np.max(np.abs(pictures)) or 1.0))).astype(np.uint8)
        layers = "-".join(map(str, self.checkpoint_.layer_sizes))
        return notebook.row(f"{self!r}, layers {layers}. Weights of the first layer:", grays, range(1, len(grays) + 1))

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn wants to know. Only scikit-learn calls this, so it is installed."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        images = InputTags(two_d_array=True, three_d_array=True, positive_only=True)
        return Tags("classifier", TargetTags(required=True), None, ClassifierTags(), None, input_tags=images)

    def _settings(self, classes: int) -> Settings:
        """Return the settings of a run. Raises ValueError if one of them is not valid."""
        choices = self.get_params()
        preset, _ = choices.pop("preset"), choices.pop("backend")
        for name in ("learning_rate", "hold_out"):  # 1 is as good as 1.0
            choices[name] = float(choices[name]) if isinstance(choices[name], int) else choices[name]
        for name in ("hidden", "features"):
            choices[name] = tuple(choices[name]) if isinstance(choices[name], list) else choices[name]
        return presets.chosen(preset, classes, choices)

    def _require_fitted(self) -> None:
        """Raise NotFittedError before `fit`."""
        if not hasattr(self, "checkpoint_"):
            raise NotFittedError("this DigitClassifier is not fitted yet: call fit first")

    def _logits(self, X: ArrayLike) -> Array:
        """Return the logits z (N, O). Raises NotFittedError before `fit`, and ValueError for images of another size."""
        self._require_fitted()
        pixels = as_bytes(X, self.n_features_in_)
        rows, backend = np.arange(len(pixels)), choose_backend(self.backend)
        return checkpoint.logits(self.checkpoint_, pixels.reshape(len(pixels), -1), rows, backend)


class NotFittedError(ValueError, AttributeError):
    """A classifier was used before `fit`. It has the bases of scikit-learn's error of that name."""


def load_model(path: str | Path) -> DigitClassifier:
    """Return the classifier in a file that `DigitClassifier.save` or 'train --save' wrote.

    Raises CheckpointError, in one sentence, if the file is missing, broken or something else.
    """
    stored = checkpoint.load(Path(path))
    model = DigitClassifier(**asdict(stored.settings))
    model.classes_, model.n_features_in_ = np.array(stored.digits), stored.layer_sizes[0]
    model.history_, model.checkpoint_ = [], stored
    return model


def _classes(labels: ArrayLike, count: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the different labels in order, and the position of each label among them. Raises ValueError."""
    if labels is None:
        raise ValueError("DigitClassifier requires y to be passed, but the target y is None: give each image a label")
    given = np.asarray(labels)
    if given.ndim != 1 or len(given) != count:
        raise ValueError(f"y has shape {given.shape}, and {count} images need ({count},)")
    if given.dtype.kind == "f" and not np.all(np.isfinite(given)):
        raise ValueError("y contains NaN or infinity: use whole numbers or texts, one for each class")
    if given.dtype.kind == "f" and not np.array_equal(given, np.round(given)):
        raise ValueError("y is continuous: use whole numbers or texts, one for each class")
    classes, positions = np.unique(given, return_inverse=True)
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise ValueError(f"y has {len(classes)} class{'es' if len(classes) > 1 else ''}: use from 2 to {MAX_CLASSES}")
    return classes, positions


def _are_digits(classes: NDArray[Any]) -> bool:
    """Return whether all labels are whole numbers from 0 to 9, which a checkpoint can store."""
    return bool(classes.dtype.kind in "iu" and classes.min() >= 0 and classes.max() <= 9)
