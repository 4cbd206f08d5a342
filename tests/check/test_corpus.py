"""`verify` on functions that are not ours: it rejects every wrong backward and calls no right one wrong.

Of each kind, every sixth of the right ones and every fourth of the wrong ones are checked, and all with -m exhaustive.
"""

import numpy as np
import pytest

from tests.check.corpus import RIGHT, RIGHT_MODULES, WRONG, WRONG_MODULES, right_products, right_reductions, wrong_terms
from tests.check.corpus.entry import Entry
from tinygrad_mnist import verify
from tinygrad_mnist.check import plain

SOME_RIGHT = [entry.name for module in RIGHT_MODULES for entry in module.ENTRIES[::6]]
SOME_WRONG = [entry.name for module in WRONG_MODULES for entry in module.ENTRIES[::4]]
ORDINARY = [entry for module in (right_products, right_reductions, wrong_terms) for entry in module.ENTRIES[::4]]

pytestmark = pytest.mark.filterwarnings(
    "ignore:Mean of empty slice:RuntimeWarning"
)  # one takes the mean of its entries


def verdict(entry: Entry) -> str:
    return str(entry.checked_by(verify).verdict)


@pytest.mark.parametrize("name", SOME_WRONG)
def test_a_wrong_backward_is_rejected(name: str) -> None:
    assert verdict(WRONG[name]) != "right"


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [name for name in WRONG if name not in SOME_WRONG])
def test_every_wrong_backward_is_rejected(name: str) -> None:
    assert verdict(WRONG[name]) != "right"


@pytest.mark.parametrize(
    "names", [SOME_RIGHT, pytest.param([*RIGHT], marks=pytest.mark.exhaustive)], ids=["some", "all"]
)
def test_right_backwards_are_not_called_wrong_and_few_are_inconclusive(names: list[str]) -> None:
    verdicts = {name: verdict(RIGHT[name]) for name in names}
    assert [name for name, found in verdicts.items() if found == "wrong"] == []
    assert sum(found == "inconclusive" for found in verdicts.values()) <= len(verdicts) / 10


def test_there_are_enough_of_both() -> None:
    assert len(RIGHT) >= 200
    assert len(WRONG) >= 250


@pytest.mark.parametrize("entry", [one for one in ORDINARY if not one.options], ids=lambda entry: entry.name)
def test_the_plain_checker_says_the_same_of_an_ordinary_function(entry: Entry) -> None:
    arguments = [x.copy() if isinstance(x, np.ndarray) else x for x in entry.arguments]
    fault = plain.first_fault(entry.forward, entry.backward, *arguments)
    report = entry.checked_by(verify)
    wrong = [f"d{one.name}" for one in report.arguments if one.verdict == "wrong"]
    assert (fault == "") == (report.verdict == "right")
    assert fault.startswith(tuple(wrong) if wrong else "")
