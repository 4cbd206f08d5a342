"""Our exceptions, for problems that the user can fix.

Each carries what is wrong, as a fact. What to do about it depends on the front door that shows it: here are the words
for Python, and `app/command_line.py` has those for the command line.
"""

from collections.abc import Mapping

REMEDIES = {
    "no GPU": "use backend='numpy'",
    "no download": "put its four files there, or use load_digits('strokes')",
    "not official": "unset it, or pass that folder to load_digits",
    "not finite": "try a lower learning_rate",
    "too small": "use network='dense'",
    "no network": "name a file that DigitClassifier.save has written",
}
"""What to do in Python about the causes that can be met there."""


class TinygradMnistError(Exception):
    """The base class. It says in one sentence what is wrong and what to do.

    `wrong` is a clause that says what is wrong. `cause` is what remedies are looked up by,
    and empty if the clause says all.
    """

    def __init__(self, wrong: str, cause: str = "") -> None:
        super().__init__(wrong, cause)
        self.wrong, self.cause = wrong.removesuffix("."), cause

    def __str__(self) -> str:
        """Return the sentence in the words of Python."""
        return self.sentence(REMEDIES)

    def sentence(self, remedies: Mapping[str, str]) -> str:
        """Return what is wrong, and the remedy for its cause in the words of a front door."""
        remedy = remedies.get(self.cause)
        return f"{self.wrong}: {remedy}." if remedy else f"{self.wrong}."


class DataError(TinygradMnistError):
    """A data set is missing, broken, or not what was requested."""


class CheckpointError(TinygradMnistError):
    """A file is not a checkpoint that this version can read, or cannot be written."""


class PlotError(TinygradMnistError):
    """A plot cannot be drawn on this machine, or its file cannot be written."""


class BackendError(TinygradMnistError):
    """The requested device cannot be used on this machine."""


class TrainingError(TinygradMnistError):
    """Training cannot continue, because the loss or a parameter is no longer a finite number."""


class GradientError(TinygradMnistError, AssertionError):
    """A backward is not the derivative of its forward, or nobody can tell. It prints the report of `verify`."""

    def __str__(self) -> str:
        """Return the report as it is, with its lines."""
        return str(self.args[0])


class UsageError(TinygradMnistError, TypeError, ValueError):
    """A function cannot be checked as it was given: an argument, an option or a result has the wrong type or form."""


def require(condition: object, sentence: str) -> None:
    """Raise ValueError with this sentence, which says what is wrong, unless the condition is true."""
    if not condition:
        raise ValueError(sentence)
