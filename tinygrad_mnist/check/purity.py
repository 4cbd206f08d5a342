"""Whether calls leave their arguments unchanged, and return the same whatever was called before."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from tinygrad_mnist.check.comparison import Arrays, copied, equal, is_array, same
from tinygrad_mnist.check.report import INCONCLUSIVE, Finding
from tinygrad_mnist.check.subject import Subject, Values


def purity(subject: Subject, upstream: Arrays, values: Values) -> Iterator[Finding]:
    """Check that forward and backward leave their arguments unchanged, and return the same in every call."""
    before = [copied(value) for value in values]
    first = subject.outputs(values)
    if changed := _changed(subject.names, before, values):
        yield Finding(f"forward changes its argument {changed}")
        _restore(before, values)
    again = subject.outputs(values)
    if not same(first, again):
        sentence = (
            "forward returns something different in every call, so it has no derivative: pass its random numbers in"
        )
        yield Finding(sentence, verdict=INCONCLUSIVE)
        return
    given = [u.copy() for u in upstream]
    once = subject.gradients(given, values)
    kept = [gradient.copy() for gradient in once]
    if changed := _changed(subject.names, before, values):
        yield Finding(f"backward changes its argument {changed}")
        _restore(before, values)
    if any(not equal(new, old) for new, old in zip(given, upstream, strict=True)):
        yield Finding("backward changes the upstream gradient")
    yield from _state(subject, upstream, values, once, kept)


def _state(subject: Subject, upstream: Arrays, values: Values, once: Arrays, kept: Arrays) -> Iterator[Finding]:
    """Check that a call in between, with different numbers, changes nothing."""
    rng = np.random.default_rng(5)
    elsewhere = [
        value * (1 + rng.permutation(value.size).reshape(value.shape) / value.size).astype(value.dtype) * -1
        if n in subject.wrt and value.size
        else value
        for n, value in enumerate(values)
    ]
    with np.errstate(all="ignore"):
        try:
            between = subject.gradients([u.copy() for u in upstream], elsewhere)
        except (ArithmeticError, ValueError, IndexError):
            between = []
    if any(np.shares_memory(a, b) for a, b in itertools.product(once, between)):
        yield Finding("backward returns the same array in every call, and overwrites the earlier result")
        return
    yield from _updated(subject, upstream, values, elsewhere)
    for call in range(4):
        again = subject.gradients([u.copy() for u in upstream], values)
        for position, old, new in zip(subject.wrt, kept, again, strict=True):
            if not equal(old, new):
                name = subject.names[position]
                yield Finding(f"d{name} differs in call {call + 3} with the same arguments: backward keeps state", name)
                return


def _updated(subject: Subject, upstream: Arrays, values: Values, elsewhere: Sequence[Any]) -> Iterator[Finding]:
    """Check that arrays may get new numbers in place, as parameters do in training."""
    reused, fresh = [copied(value) for value in values], [copied(value) for value in elsewhere]
    with np.errstate(all="ignore"), suppress(ArithmeticError, ValueError, IndexError):
        subject.gradients([u.copy() for u in upstream], reused)
        for position in subject.wrt:
            reused[position][...] = elsewhere[position]
        pairs = zip(*(subject.gradients([u.copy() for u in upstream], given) for given in (reused, fresh)), strict=True)
        for position, (old, new) in zip(subject.wrt, pairs, strict=True):
            if not equal(old, new):
                name = subject.names[position]
                yield Finding(f"d{name} belongs to earlier numbers if an array was changed in place", name)


def _changed(names: Sequence[str], before: Sequence[Any], after: Sequence[Any]) -> str | None:
    """Return the name of an array that has changed, or None."""
    return next((n for n, a, b in zip(names, before, after, strict=True) if is_array(a) and not equal(a, b)), None)


def _restore(before: Sequence[Any], after: Sequence[Any]) -> None:
    for old, new in zip(before, after, strict=True):
        if is_array(old):
            new[...] = old
