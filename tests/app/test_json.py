"""The events of all commands: a key has the same type in every one of them."""

import json
from typing import Any

from tests.fixtures import Events

STROKES = ("--data", "strokes")
COMMANDS = [
    ("train", *STROKES, "--epochs", 1, "--save", "model.npz"),
    ("train", *STROKES, "--digits", "0-3", "--epochs", 1),
    ("evaluate", "model.npz", *STROKES),
    ("show", *STROKES),
    ("show", "ideal", *STROKES),
    ("show", "weights", "model.npz"),
    ("show", "wrong", "model.npz", *STROKES),
    ("baseline", *STROKES),
    ("chapter", "--section", "gradient"),
    ("chapter", "--section", "stack", *STROKES),
    ("derivative", "3"),
    ("data",),
    ("data", "strokes"),
    ("devices",),
    ("gradcheck", "--plant", "list"),
]


def kind(value: Any) -> str:
    """Return the JSON type of a value. A whole number is a number."""
    return type(json.loads(json.dumps(value))).__name__.replace("int", "float")


def test_a_key_has_one_type_in_all_events(events: Events) -> None:
    kinds: dict[str, set[str]] = {}
    for words in COMMANDS:
        for event in events(*words):
            for key, value in event.items():
                kinds.setdefault(key, set()).add(kind(value))
    assert len(kinds) > 40
    # Something that there is not, like a plot that was not asked for, is null.
    several = {key: types for key, types in kinds.items() if len(types - {"NoneType"}) > 1}
    assert several == {}
