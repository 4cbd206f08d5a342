"""A run: what it saves, and when."""

from tinygrad_mnist.runs.run import Watch
from tinygrad_mnist.train import Settings, TrainingState


def state(epoch: int, accuracy: float) -> TrainingState:
    """Return a state after an epoch of a training that was best in the first."""
    return TrainingState(epoch, 0.5, 0.6, accuracy, (), None, 0.9, 1)


def test_a_failed_save_is_tried_again_after_an_epoch_that_is_not_kept() -> None:
    attempts, answers = list[int](), iter([False, False, True])

    def save(saved: TrainingState) -> bool:
        attempts.append(saved.epoch)
        return next(answers)

    watch = Watch(None, Settings(), save, lambda _: None)
    for one in (state(1, 0.9), state(2, 0.8), state(3, 0.8), state(4, 0.8)):
        watch(one)
    watch.ensure_saved()
    assert attempts == [1, 1, 1]


def test_a_resumed_state_is_saved_again_at_the_end_if_no_save_worked() -> None:
    attempts = list[int]()
    watch = Watch(state(1, 0.9), Settings(), lambda saved: bool(attempts.append(saved.epoch)), lambda _: None)
    watch.ensure_saved()
    assert attempts == [1, 1]
