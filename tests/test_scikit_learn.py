"""scikit-learn's own checks of an estimator, its pipelines and its search."""

import warnings
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

import tinygrad_mnist as tm

sklearn = pytest.importorskip("sklearn")

CANNOT_HOLD = {
    "check_estimators_unfitted": "scikit-learn is optional, so NotFittedError is our own class with the same bases",
    "check_supervised_y_2d": "labels of a wrong shape are refused, not changed with a warning",
}
"""The checks that cannot pass, with the reason."""


class DigitClassifier(tm.DigitClassifier):
    """The classifier for scikit-learn's test data, which are not images: it moves every feature to 0 to 1."""

    def fit(self, X: ArrayLike, y: ArrayLike, **settings: Any) -> Self:
        """Learn the range of the data as well."""
        if is_table(X):
            self.low_, self.high_ = (edge(np.asarray(X).astype(float), axis=0) for edge in (np.min, np.max))
        return super().fit(self._scaled(X), y, **settings)

    def _logits(self, X: ArrayLike) -> Any:
        return super()._logits(self._scaled(X))

    def _scaled(self, X: ArrayLike) -> Any:
        if not is_table(X):
            return X
        table = np.asarray(X).astype(float)
        if table.shape[1] != len(getattr(self, "low_", ())):
            return 0 * table
        return np.clip((table - self.low_) / np.where(self.high_ > self.low_, self.high_ - self.low_, 1), 0, 1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = False
        return tags


def is_table(X: Any) -> bool:
    """Return whether these are rows of finite real numbers, or objects that are numbers."""
    if hasattr(X, "toarray"):
        return False
    try:
        table = np.asarray(X)
        return (
            table.ndim == 2
            and table.dtype.kind != "c"
            and table.size > 0
            and bool(np.isfinite(table.astype(float)).all())
        )
    except (TypeError, ValueError):
        return False


@pytest.fixture(scope="module")
def results() -> list[dict[str, Any]]:
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check_estimator(DigitClassifier(epochs=30, learning_rate=1.0), on_fail=None, on_skip=None)


def test_the_checks_of_scikit_learn_pass_except_those_with_a_reason(results: list[dict[str, Any]]) -> None:
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert failed.keys() == CANNOT_HOLD.keys(), failed
    assert sum(result["status"] == "passed" for result in results) >= 45


def test_it_works_in_a_pipeline_and_a_grid_search() -> None:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    images, labels = load_digits(return_X_y=True)
    of_pair = labels < 2
    x: NDArray[Any] = images[of_pair] / 16
    pipeline = make_pipeline(FunctionTransformer(np.sqrt), DigitClassifier(epochs=5))
    search = GridSearchCV(pipeline, {"digitclassifier__hidden": [(), (5,)]}, cv=2).fit(x, labels[of_pair])
    assert search.best_score_ > 0.95
    assert np.mean(cross_val_score(DigitClassifier(epochs=5), x, labels[of_pair], cv=2)) > 0.95
