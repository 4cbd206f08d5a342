"""Chapter 4 of the book, section by section: what it says, computed by this project's code, beside the book's numbers.

One file per section; `show` returns what there is to see in it. The numbers of the book are in book.py.
"""

from collections.abc import Callable

from tinygrad_mnist.chapter import (
    accuracy,
    batches,
    gradient,
    hidden,
    ideals,
    linear,
    loss,
    rates,
    sigmoid,
    similarity,
    stack,
    steps,
    tensors,
)
from tinygrad_mnist.chapter.material import Material
from tinygrad_mnist.chapter.section import Section

SECTIONS: dict[str, Callable[[Material], Section]] = {
    "tensors": tensors.show,
    "stack": stack.show,
    "ideals": ideals.show,
    "similarity": similarity.show,
    "gradient": gradient.show,
    "steps": steps.show,
    "rates": rates.show,
    "sigmoid": sigmoid.show,
    "loss": loss.show,
    "accuracy": accuracy.show,
    "batches": batches.show,
    "linear": linear.show,
    "hidden": hidden.show,
}
"""The sections by their names, in the order of the walk."""
