"""Training as the book does it, to set the results beside its own."""

from tinygrad_mnist import network, train
from tinygrad_mnist.chapter.material import Material, examples
from tinygrad_mnist.passes import mean_loss
from tinygrad_mnist.train import Epoch, Settings


def learn(material: Material, settings: Settings) -> list[Epoch]:
    """Return all the epochs of a training on all training digits.

    As in the book, accuracy is measured on the test digits after each epoch. (`python cli.py train` is stricter: it
    holds out training digits for that, and looks at the test digits once.) Nothing is chosen by it here: all the
    epochs are run.
    """
    epochs: list[Epoch] = []
    train.train(examples(material.data.training), examples(material.data.test), settings, epochs.append)
    return epochs


def loss_on_test(material: Material, epoch: Epoch) -> float:
    """Return the mean loss on all the test digits."""
    test = examples(material.data.test)
    return float(mean_loss.of_logits(network.predict(test.images, test.rows, epoch.parameters), test.t)[0])
