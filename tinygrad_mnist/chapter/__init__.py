"""The book's chapter 4, section by section: each idea, computed by this project's code and compared with the book.

Four acts hold the sections: pictures, gradient descent, predictions and learning. book_figures.py has the numbers that
the book prints.
"""

from collections.abc import Callable

from tinygrad_mnist.chapter import act_descent, act_learning, act_pictures, act_predictions
from tinygrad_mnist.chapter.material import Material
from tinygrad_mnist.chapter.section import Section

SECTIONS: dict[str, Callable[[Material], Section]] = {
    "tensors": act_pictures.show_tensors,
    "stack": act_pictures.show_stack,
    "ideals": act_pictures.show_ideals,
    "similarity": act_pictures.show_similarity,
    "gradient": act_descent.show_gradient,
    "steps": act_descent.show_steps,
    "rates": act_descent.show_rates,
    "sigmoid": act_predictions.show_sigmoid,
    "loss": act_predictions.show_loss,
    "accuracy": act_predictions.show_accuracy,
    "batches": act_learning.show_batches,
    "linear": act_learning.show_linear,
    "hidden": act_learning.show_hidden,
}
"""The functions that compute the sections, by the sections' names, in the order of the walk."""
