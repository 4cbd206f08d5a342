"""The types of the fixtures that many test files use."""

from collections.abc import Callable
from typing import Any

from click.testing import Result

Draw = Callable[..., Any]
Close = Callable[[Any, Any, float], None]
ToDevice = Callable[[Any], Any]

Run = Callable[..., Result]
Events = Callable[..., list[dict[str, Any]]]
Refused = Callable[..., str]
