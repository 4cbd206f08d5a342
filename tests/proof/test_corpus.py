"""`verify` on functions that are not ours: it rejects every wrong backward and calls no right one wrong.

A part of the corpus is checked here, of every kind, and all of it with TINYGRAD_MNIST_WHOLE_CORPUS=1, which takes
minutes.
"""

import os
from itertools import chain

import pytest

from tests.proof.corpus import RIGHT, RIGHT_MODULES, WRONG, WRONG_MODULES, Entry
from tinygrad_mnist import verify

EVERY = 1 if os.environ.get("TINYGRAD_MNIST_WHOLE_CORPUS") else 3
"""Which share of each module's entries is checked: every third, or all of them."""


def chosen(modules: tuple[object, ...]) -> list[str]:
    """Return the names of every n-th entry of each module."""
    return [entry.name for entry in chain.from_iterable(module.ENTRIES[::EVERY] for module in modules)]  # type: ignore[attr-defined]


def verdict(entry: Entry) -> str:
    return entry.checked_by(verify).verdict


@pytest.mark.parametrize("name", chosen(WRONG_MODULES))
def test_a_wrong_backward_is_rejected(name: str) -> None:
    assert verdict(WRONG[name]) != "right"


def test_right_backwards_are_not_called_wrong_and_few_are_inconclusive() -> None:
    verdicts = {name: verdict(RIGHT[name]) for name in chosen(RIGHT_MODULES)}
    assert [name for name, found in verdicts.items() if found == "wrong"] == []
    assert sum(found == "inconclusive" for found in verdicts.values()) <= len(verdicts) / 10
