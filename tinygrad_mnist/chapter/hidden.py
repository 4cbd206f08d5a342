"""The hidden layer: the book's network, 784-30-1 with ReLU."""

from dataclasses import replace

from tinygrad_mnist import presets
from tinygrad_mnist.chapter import book
from tinygrad_mnist.chapter.learning import learn, loss_on_test
from tinygrad_mnist.chapter.material import DIGITS, Material
from tinygrad_mnist.chapter.section import Figure, Section, Table

TEXT = (
    "A linear model only weighs ink. Put a layer in between: 30 such sums, each with weights of its own, and a last "
    "one that weighs these 30. Sums of sums would only be sums again, so there is a bend between them: the ReLU keeps "
    "what is positive, and makes 0 of the rest. On the way back it hands the slope on where it let something through, "
    "and 0 where it did not. The book's steps here are short, and longer ones get farther: try 'python cli.py train "
    "--hidden 30'."
)

SHOWN = (1, 5, 10, 20, 40)
"""The epochs in the table."""


def show(material: Material) -> Section:
    """Return how accuracy and loss change with the epochs, with the book's settings, and beside its result."""
    settings = replace(presets.chapter(len(DIGITS)).settings, seed=material.seed)
    epochs = learn(material, settings)
    last = epochs[-1]
    sizes = "-".join(str(len(w)) for w, _ in last.parameters) + "-1"
    return Section(
        "A layer in between",
        TEXT,
        ("tinygrad_mnist/passes/relu.py", "tinygrad_mnist/network.py", "tinygrad_mnist/presets.py"),
        material.data.origin,
        tables=(
            Table(
                f"Layers {sizes}, learning rate {settings.learning_rate:g}, batches of {settings.batch}:",
                ("epoch", "loss in training", "accuracy in the test"),
                ("d", ".4f", ".4f"),
                [(n, epochs[n - 1].loss, epochs[n - 1].valid_accuracy) for n in SHOWN],
            ),
        ),
        figures=(
            Figure("accuracy, epoch 40", book.HIDDEN_ACCURACY, last.valid_accuracy, comparable=material.is_mnist),
            Figure("loss in the test", book.HIDDEN_LOSS, loss_on_test(material, last), comparable=material.is_mnist),
        ),
    )
