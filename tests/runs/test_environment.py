"""The environment of a training: what is recorded, and what is told if it changes."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from tinygrad_mnist.runs import environment
from tinygrad_mnist.runs.environment import Environment, differences


def test_the_current_environment_has_the_version_of_numpy_and_the_number_of_threads() -> None:
    with threadpool_limits(1, "blas"):
        one = environment.current("a device")
    assert (one.numpy, one.device) == (np.__version__, "a device")
    if one.blas:  # not for Apple's library, which does not tell
        assert one.threads == 1


def test_differences_name_what_has_changed_and_nothing_else() -> None:
    before = Environment("2.3.5", "openblas 0.3.30", 2, "NumPy on the CPU")
    assert differences(before, before) == ""
    assert differences(before, replace(before, threads=1)) == "number of BLAS threads 2 before and 1 now"
    changed = replace(before, numpy="2.4.0", blas="")
    assert differences(before, changed) == (
        "NumPy 2.3.5 before and 2.4.0 now, BLAS library openblas 0.3.30 before and unknown now"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in ("numpy", "blas", "device") for value in (None, 5, "x" * 201)],
        *[("threads", value) for value in (None, -1, 1.0, True, 10**400)],
    ],
)
def test_an_environment_that_no_program_has_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        Environment(**{**asdict(Environment("2.3.5", "", 0, "")), name: value})
