"""All gradient cases of this project: pages, losses, networks, and the steps of training."""

import numpy as np

from tinygrad_mnist.proof.case import Case, drawn
from tinygrad_mnist.proof.network_cases import loss_cases, network_cases
from tinygrad_mnist.proof.page_cases import page_cases
from tinygrad_mnist.proof.training_cases import TrainingCase, step_cases, training_cases

MAKERS = (page_cases, loss_cases, network_cases, step_cases)


def all_cases(seed: int = 0) -> dict[str, Case | TrainingCase]:
    """Return every case by its name, with random numbers that are the same for the same seed."""
    sources = (drawn(np.random.default_rng((seed, number))) for number in range(len(MAKERS)))
    made = [case for cases, draw in zip(MAKERS, sources, strict=True) for case in cases(draw)]
    everything: list[Case | TrainingCase] = [*made, *training_cases()]
    return {case.name: case for case in everything}
