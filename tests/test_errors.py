"""Errors carry facts. What to do about them is said in the words of the front door that shows them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import tinygrad_mnist
from tinygrad_mnist import errors
from tinygrad_mnist.app import command_line
from tinygrad_mnist.errors import DataError, TrainingError

PACKAGE = Path(tinygrad_mnist.__file__).parent
FAMILY = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call that makes one of our errors, with the file that it is in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FAMILY:
                yield path.relative_to(PACKAGE).as_posix(), node


RAISED = list(raised())


def test_every_cause_has_a_remedy_on_the_command_line() -> None:
    causes = {node.args[1].value for _, node in RAISED if len(node.args) > 1 and isinstance(node.args[1], ast.Constant)}
    assert causes
    assert causes <= command_line.REMEDIES.keys()
    assert errors.REMEDIES.keys() <= causes | {"no GPU"}


def test_no_error_outside_the_app_names_an_option_of_the_command_line() -> None:
    for file, node in RAISED:
        texts = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        assert file.startswith("app/") or not any(OPTION.search(text) for text in texts), f"{file}:{node.lineno}"


def test_an_error_says_what_to_do_in_the_words_of_each_front_door() -> None:
    error = TrainingError("the loss became nan", "not finite")
    assert str(error) == "the loss became nan: try a lower learning_rate."
    assert error.sentence(command_line.REMEDIES) == "the loss became nan: try a lower --learning-rate."
    assert str(DataError("it is broken: download it again.")) == "it is broken: download it again."
