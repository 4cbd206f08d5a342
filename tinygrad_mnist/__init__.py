"""A tiny neural-network framework in NumPy, with CuPy for the GPU and no autograd.

What a program needs is here: `load_digits`, `DigitClassifier`, `load_model` and `verify`. To read the derivations,
start at `tinygrad_mnist.passes`: one page per operation.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinygrad_mnist.app.training_report import EpochTable
    from tinygrad_mnist.check.verify import verify
    from tinygrad_mnist.classifier import DigitClassifier, load_model
    from tinygrad_mnist.datasets import load_digits

__version__ = "0.1.0"

__all__ = ["DigitClassifier", "EpochTable", "__version__", "load_digits", "load_model", "verify"]

HOMES = {
    "DigitClassifier": "classifier",
    "EpochTable": "app.training_report",
    "load_model": "classifier",
    "load_digits": "datasets",
    "verify": "check.verify",
}
"""The module of each name. It is imported when it is first used, so that commands start fast."""


def __getattr__(name: str) -> Any:
    """Import and return one of the names above."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
