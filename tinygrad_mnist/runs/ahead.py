"""One epoch ahead: the images of the next epoch are distorted on the CPU while a GPU trains on those of this one."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Prepare: TypeAlias = Callable[[int], NDArray[np.uint8]]
"""Returns the images of an epoch, given its number. They depend on nothing else."""


class OneAhead:
    """Returns what `prepare` returns, bit for bit, but starts to prepare the next epoch before it returns this one.

    On the CPU this gains nothing, because training needs the same processors.
    """

    def __init__(self, prepare: Prepare, last: int) -> None:
        self._prepare, self._last = prepare, last
        self._pool = ThreadPoolExecutor(1)
        self._started: dict[int, Future[NDArray[np.uint8]]] = {}

    def __call__(self, epoch: int) -> NDArray[np.uint8]:
        """Return the images of this epoch, and start on those of the next one unless this is the last."""
        images = self._start(epoch).result()
        self._started.clear()
        if epoch < self._last:
            self._started[epoch + 1] = self._start(epoch + 1)
        return images

    def _start(self, epoch: int) -> Future[NDArray[np.uint8]]:
        return self._started.get(epoch) or self._pool.submit(self._prepare, epoch)
