"""Our exceptions, for problems that the user can fix. The command line prints each of them as one sentence."""

import re
from collections.abc import Container, Sequence


class TinygradMnistError(Exception):
    """The base class. Its message is one sentence that says what is wrong and what to do.

    The first argument says what is wrong, and the others are remedies. A remedy may name an option of the command line.
    """

    def __str__(self) -> str:
        """Return the sentence with all remedies."""
        return self._sentence(self.args[1:])

    def advice(self, options: Container[str]) -> str:
        """Return the sentence for a command with these options, without remedies that name an option it lacks.

        Options of a command in quotes, like 'train --save', are not counted.
        """

        def can_be_used(remedy: str) -> bool:
            outside_quotes = re.sub(r"(?<!\w)'.*?'", "", remedy)
            return all(option in options for option in re.findall(r"(?<!\S)--[a-z-]+", outside_quotes))

        return self._sentence(list(filter(can_be_used, self.args[1:])))

    def _sentence(self, remedies: Sequence[str]) -> str:
        wrong = str(self.args[0]).removesuffix(".") if self.args else type(self).__name__
        return f"{wrong}: {', or '.join(remedies)}." if remedies else f"{wrong}."


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
