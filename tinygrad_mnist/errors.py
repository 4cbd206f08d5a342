"""Our exceptions, for faults that are the user's to mend. The command line turns each of them into one sentence."""


class TinygradMnistError(Exception):
    """The base class. Its text is one sentence that says what is wrong and what to do."""


class DataError(TinygradMnistError):
    """A data set is missing, broken, or not what was asked for."""


class CheckpointError(TinygradMnistError):
    """A file is not a checkpoint that this version can read, or cannot be written."""


class PlotError(TinygradMnistError):
    """A plot cannot be drawn on this machine, or its file cannot be written."""


class BackendError(TinygradMnistError):
    """The requested device cannot be used on this machine."""


class TrainingError(TinygradMnistError):
    """Training cannot continue, because the loss or a parameter is no longer a finite number."""


def require(condition: object, sentence: str) -> None:
    """Raise ValueError with this sentence, which says which fact is wrong, unless the condition is true."""
    if not condition:
        raise ValueError(sentence)
