"""What can go wrong by a user's mistake. The command line turns each of these into one sentence."""


class TinygradMnistError(Exception):
    """The parent of all: its text is one sentence that says what is wrong and what to do."""


class DataError(TinygradMnistError):
    """A data set is missing, broken, or not what was asked for."""


class CheckpointError(TinygradMnistError):
    """A file is not a trained network that this version can read, or could not be written."""


class PlotError(TinygradMnistError):
    """A picture cannot be drawn on this machine, or not be written where it should be."""


class BackendError(TinygradMnistError):
    """The asked-for device cannot be used on this machine."""


class TrainingError(TinygradMnistError):
    """Training cannot go on: the loss is no longer a finite number."""
