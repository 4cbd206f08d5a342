"""The values of options: numbers in bounds, and names of files that a system can have, in every command."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.fixtures import Refused, Run
from tinygrad_mnist.app import main, options

Parameter = tuple[tuple[str, ...], click.Parameter]


def parameters(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[Parameter]:
    """Yield every option and argument of every command, after the words that call the command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from (((*path, name), parameter) for parameter in command.params)
        if isinstance(command, click.Group):
            yield from parameters(command, (*path, name))


def called(parameter: Parameter) -> str:
    """Return a readable name of a parameter for the reports of tests."""
    return " ".join((*parameter[0], parameter[1].opts[0]))


ALL = list(parameters(main))
NUMBERS = [one for one in ALL if isinstance(one[1].type, options.Number)]
LISTS = [one for one in ALL if one[1].name in ("digits", "hidden")]


def words(parameter: Parameter, value: str) -> list[str]:
    """Return the words of a command in which only this parameter has a value that could be wrong."""
    path, given = parameter
    others = [one for where, one in ALL if where == path and isinstance(one, click.Argument)]
    if isinstance(given, click.Option):
        return [*path, f"{given.opts[0]}={value}", *("3" for _ in others)]
    return [*path, "--", *(value if one is given else "3" for one in others)]


def test_every_option_has_help() -> None:
    assert [called(one) for one in ALL if isinstance(one[1], click.Option) and not one[1].help] == []


def test_every_number_has_bounds() -> None:
    assert {called(one) for one in NUMBERS} >= {"train --epochs", "gradcheck --seed", "show --count", "derivative x"}


@pytest.mark.parametrize("value", ["9" * 5000, "-" + "9" * 400, "x" * 5000, "\x1b[2J", "1e999", "nan", "0x3"])
@pytest.mark.parametrize("parameter", [*NUMBERS, *LISTS], ids=called)
def test_what_is_not_a_number_in_bounds_is_bad_usage(parameter: Parameter, value: str, refused: Refused) -> None:
    sentence = refused(2, *words(parameter, value))
    assert "9" * 41 not in sentence
    assert len(sentence) < 180


@pytest.mark.parametrize("command", [("evaluate",), ("predict",), ("show", "weights"), ("show", "wrong")])
def test_a_file_that_cannot_be_read_is_bad_data_like_one_that_is_missing(
    command: tuple[str, ...], refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    pictures = ("three.png",) if command == ("predict",) else ()
    refused(1, *command, "model.npz", *pictures)
    Path("model.npz").write_bytes(b"PK")
    refused(1, *command, "model.npz", *pictures)


def test_a_deleted_current_folder_is_an_error_only_if_a_file_is_needed(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deleted"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    for command in (("derivative", 3), ("data",), ("devices",), ("gradcheck", "--plant", "list")):
        assert run(*command).exit_code == 0
    for option in ("--save=model.npz", "--plot=curve.svg"):
        result = run("train", "--data", "strokes", "--epochs", 1, option)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")
