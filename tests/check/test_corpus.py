"""`verify` on functions that are not ours: it rejects every wrong backward and calls no right one wrong.

All wrong ones are checked here, since a check stops at the first fault, and of the right ones every sixth of each
kind. With TINYGRAD_MNIST_WHOLE_CORPUS=1 all right ones are checked, too.
"""

import os
from itertools import chain

import pytest

from tests.check.corpus import RIGHT, RIGHT_MODULES, WRONG, Entry
from tinygrad_mnist import verify

EVERY = 1 if os.environ.get("TINYGRAD_MNIST_WHOLE_CORPUS") else 6
"""Which share of each module's right entries is checked: every sixth, or all of them."""


def verdict(entry: Entry) -> str:
    return str(entry.checked_by(verify).verdict)


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")  # one of them takes the mean of its entries
def test_a_wrong_backward_is_rejected(name: str) -> None:
    assert verdict(WRONG[name]) != "right"


def test_right_backwards_are_not_called_wrong_and_few_are_inconclusive() -> None:
    entries = list(chain.from_iterable(module.ENTRIES[::EVERY] for module in RIGHT_MODULES))
    verdicts = {entry.name: verdict(entry) for entry in entries}
    assert [name for name, found in verdicts.items() if found == "wrong"] == []
    assert sum(found == "inconclusive" for found in verdicts.values()) <= len(verdicts) / 10


def test_there_are_enough_of_both() -> None:
    assert len(RIGHT) >= 200
    assert len(WRONG) >= 250
