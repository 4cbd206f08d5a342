"""Right advice: an error names only options of the command that was called, and help names the program as called."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import tinygrad_mnist
from tinygrad_mnist import errors
from tinygrad_mnist.app import COMMANDS, bench_command, main
from tinygrad_mnist.arrays.backend import device_faults
from tinygrad_mnist.errors import BackendError, DataError, TinygradMnistError

Run = Callable[..., Result]
Refused = Callable[..., str]

PACKAGE = Path(tinygrad_mnist.__file__).parent

FAMILY = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
"""The names of this program's exceptions."""

ONLY_IN_TRAIN = {"train.py", "runs/resume.py"}
"""The modules whose errors only `train` can show, so that they may name its options anywhere."""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield all commands and those in groups, under the words that call them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL_COMMANDS = dict(commands(main))
OPTIONS = {name: {text for option in one.params for text in option.opts} for name, one in ALL_COMMANDS.items()}


def named_options(text: str) -> set[str]:
    """Return the options in a text, without those of a command in quotes, like 'train --save'."""
    return set(re.findall(r"--[a-z][a-z-]+", re.sub(r"(?<!\w)'.*?'", "", text)))


def text_of(node: ast.AST, scope: ast.AST) -> str:
    """Return the literal text in an expression. A variable has the text that its function assigns to it."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    assigned = [
        one.value
        for one in ast.walk(scope)
        if isinstance(one, ast.Assign) and {t.id for t in one.targets if isinstance(t, ast.Name)} & names
    ]
    parts = [part for expression in (node, *assigned) for part in ast.walk(expression)]
    return "".join(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def raised() -> Iterator[tuple[str, str, list[str]]]:
    """Yield the module of every error that this program raises, what it says is wrong, and its remedies."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for scope in ast.walk(tree):
            if not isinstance(scope, ast.FunctionDef):
                continue
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FAMILY:
                    wrong, *remedies = (text_of(argument, scope) for argument in node.args)
                    yield path.relative_to(PACKAGE).as_posix(), wrong, remedies


RAISED = list(raised())


def test_the_search_finds_the_errors_and_their_remedies() -> None:
    assert len(RAISED) > 60
    assert {"use --data strokes", "use different --digits"} <= {text for _, _, remedies in RAISED for text in remedies}


@pytest.mark.parametrize("name", OPTIONS)
def test_no_error_names_an_option_that_the_command_lacks(name: str) -> None:
    for module, wrong, remedies in RAISED:
        if module not in ONLY_IN_TRAIN or name == "train":
            sentence = TinygradMnistError(wrong, *remedies).advice(OPTIONS[name])
            assert named_options(sentence) <= OPTIONS[name], (module, sentence)


def test_every_remedy_names_options_that_exist() -> None:
    known = set().union(*OPTIONS.values())
    for module, _, remedies in RAISED:
        assert named_options(" ".join(remedies)) <= known, module


def test_an_error_keeps_the_remedies_without_options_and_those_of_commands_in_quotes() -> None:
    error = DataError("it is broken", "write it with 'train --save x'", "use --data strokes", "unset it")
    assert str(error) == "it is broken: write it with 'train --save x', or use --data strokes, or unset it."
    assert error.advice(()) == "it is broken: write it with 'train --save x', or unset it."
    assert DataError("it is broken", "use --data strokes").advice(()) == "it is broken."


def test_too_little_memory_is_advice_for_the_command_that_needs_it(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(tinygrad_mnist.datasets, "load", exhausted)
    assert "--batch" in refused(1, "train")
    assert "--batch" not in refused(1, "baseline")
    with pytest.raises(BackendError, match="--batch"), device_faults():
        exhausted()


def test_bench_and_devices_do_not_advise_an_option_that_they_lack(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_command, "digits_per_second", lambda *_: 1.0)
    monkeypatch.setitem(sys.modules, "cupy", None)
    for words in (("bench",), ("devices",), ("devices", "--json")):
        result = run(*words)
        assert "CuPy cannot be imported" in result.output.replace("\n          ", " ")
        assert "--backend" not in result.output


def test_fetch_does_not_advise_data(refused: Refused) -> None:
    error = refused(1, "data", "fetch", "--mirror", "http://127.0.0.1:9/")
    assert "put its four files into data/mnist" in error
    assert "--data" not in error


@pytest.mark.parametrize("called", ["python cli.py", "tinygrad-mnist", "python -m tinygrad_mnist"])
@pytest.mark.parametrize("name", OPTIONS)
def test_examples_call_the_program_as_it_was_called_and_fit_60_columns(name: str, called: str) -> None:
    words = [*name.split(), "--help"]
    text = CliRunner(env={"COLUMNS": "60"}).invoke(main, words, prog_name=called, terminal_width=60).stdout
    (examples,) = re.findall(r"\n  Examples?:\n(.*?)\n\nOptions:", text, flags=re.DOTALL)
    first, *_ = examples.replace(" \\\n      ", " ").splitlines()
    assert all(line.strip().startswith(called) for line in examples.replace(" \\\n      ", " ").splitlines())
    assert first.startswith("    ")
    assert max(map(len, examples.splitlines())) <= 60
    assert text.isascii()


def test_every_command_is_walked() -> None:
    assert {*COMMANDS, "data fetch", "data strokes", "show ideal", "show weights", "show wrong"} == set(OPTIONS)
