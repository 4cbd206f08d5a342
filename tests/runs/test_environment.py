"""The environment of a training: what is recorded, and what is told if it changes."""

import numpy as np

from tinygrad_mnist.runs import environment


def test_the_current_environment_has_the_version_of_numpy_the_library_and_the_device() -> None:
    here = environment.current("a device")
    assert (here["NumPy"], here["device"]) == (np.__version__, "a device")
    assert here["BLAS library"]


def test_differences_name_what_has_changed_and_nothing_else() -> None:
    before = {"NumPy": "2.3.5", "BLAS library": "openblas 0.3.30", "device": "NumPy on the CPU"}
    assert environment.differences(before, before) == ""
    changed = {**before, "NumPy": "2.4.0", "BLAS library": "unknown"}
    assert environment.differences(before, changed) == (
        "NumPy 2.3.5 before and 2.4.0 now, BLAS library openblas 0.3.30 before and unknown now"
    )
