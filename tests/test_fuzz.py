"""Thousands of damaged inputs, made from good ones: each is accepted, or refused in one sentence.

Bits are flipped, parts are cut out, doubled, overwritten and exchanged, and headers claim wrong sizes. Damaged pictures
are tested in datasets/.
"""

import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from tests.checkpoints import checkpoint_of
from tinygrad_mnist.app import train_command
from tinygrad_mnist.datasets import idx
from tinygrad_mnist.errors import CheckpointError, DataError
from tinygrad_mnist.networks import dense
from tinygrad_mnist.runs import checkpoint

EXTREMES = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", b"\xff\xff\xff\x7f"]


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Return the content with one to three changes, most of them near its start, where headers are."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        if not changed:
            break
        first = int(rng.integers(min(len(changed), 64) if rng.random() < 0.6 else len(changed)))
        last = first + int(rng.integers(1, 17))
        match rng.integers(7):
            case 0:
                changed[first] ^= 1 << int(rng.integers(8))
            case 1:
                changed[first:last] = rng.bytes(last - first)
            case 2:
                del changed[first:last]
            case 3:
                changed[first:first] = changed[first:last]
            case 4:
                del changed[first:]
            case 5:
                changed[first : first + 4] = EXTREMES[int(rng.integers(len(EXTREMES)))]
            case 6:
                other = int(rng.integers(len(changed)))
                changed[first:last], changed[other : other + 8] = changed[other : other + 8], changed[first:last]
    return bytes(changed)


def packed(content: bytes, rng: np.random.Generator) -> bytes:
    return mutated(gzip.compress(content), rng)


def packed_afterwards(content: bytes, rng: np.random.Generator) -> bytes:
    return gzip.compress(mutated(content, rng))


@pytest.fixture
def memory() -> Iterator[Callable[[int], None]]:
    """A check that at no time since the last check was more memory in use than is allowed, in bytes."""
    tracemalloc.start()

    def check(allowed: int) -> None:
        assert tracemalloc.get_traced_memory()[1] - before[0] <= allowed
        tracemalloc.reset_peak()
        before[0] = tracemalloc.get_traced_memory()[0]

    before = [tracemalloc.get_traced_memory()[0]]
    yield check
    tracemalloc.stop()


@pytest.mark.parametrize("damage", [mutated, packed, packed_afterwards])
@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.exhaustive)])
def test_a_damaged_idx_file_gives_an_array_or_one_sentence(
    count: int, damage: Any, tmp_path: Path, one_sentence: Callable[[object], None], memory: Callable[[int], None]
) -> None:
    """An array is at most as large as its file, and a header that claims more is refused before memory is allocated."""
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        rng.standard_normal((3, 4)).astype(">f8"),
        np.array([[1, -2]], dtype=">i2"),
    ]
    good = [idx.header(array) + array.tobytes() for array in arrays]
    path, accepted, expansion = tmp_path / "file", 0, 1 if damage is mutated else idx.GZIP_EXPANSION
    for number in range(count):
        content = damage(good[number % len(good)], rng)
        path.write_bytes(content)
        try:
            array = idx.read(path)
        except DataError as error:
            one_sentence(error)
        else:
            assert array.nbytes <= len(content) * expansion
            accepted += 1
            del array
        memory(500_000 + len(content) * expansion)
    assert accepted > 0, "some changes do no harm"


@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.exhaustive)])
def test_a_damaged_checkpoint_gives_a_network_or_one_sentence(
    count: int, tmp_path: Path, one_sentence: Callable[[object], None], memory: Callable[[int], None]
) -> None:
    """The network can be saved again, and an entry that claims to be larger than its file takes no memory."""
    path, rng, accepted = tmp_path / "network.npz", np.random.default_rng(0), 0
    layers = dense.initialize((9, 5, 1), rng, "float32")
    made = checkpoint_of(layers, limits={"least": np.array(0.5)}, path=path)
    momentum = replace(made.settings, optimizer="momentum")
    checkpoint.save(replace(made, settings=momentum, state=made.state._replace(velocity=layers)))
    good = path.read_bytes()
    for _ in range(count):
        path.write_bytes(mutated(good, rng))
        try:
            loaded = checkpoint.load(path)
        except CheckpointError as error:
            one_sentence(error)
        else:
            checkpoint.save(loaded)
            assert loaded.layer_sizes == (9, 5, 1)
            accepted += 1
        memory(500_000)
    assert accepted > 0, "some changes do no harm"


GOOD = {
    "--digits": "1,4-6",
    "--hidden": "300,100",
    "--learning-rate": "0.1",
    "--batch": "64",
    "--hold-out": "0.25",
    "--seed": "42",
    "--preset": "best",
}


@pytest.mark.parametrize("count", [200, pytest.param(1500, marks=pytest.mark.exhaustive)])
def test_a_damaged_option_is_refused_on_one_line_or_gives_settings(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    started, refusals, rng, names = list[object](), list[str](), np.random.default_rng(0), list(GOOD)

    def stop(*settings: object) -> None:
        """Stop the command when its settings have been accepted, before it trains."""
        started.append(settings)
        raise click.Abort

    monkeypatch.setattr(train_command, "work", stop)
    for number in range(count):
        name = names[number % len(names)]
        value = mutated(GOOD[name].encode(), rng).decode("latin-1")
        try:
            with train_command.train.make_context("train", [f"{name}={value}"]) as context:
                train_command.train.invoke(context)
        except click.UsageError as error:
            refusals.append(error.format_message().replace(value, ""))
        except click.Abort:
            pass
    assert not any("\n" in text for text in refusals)
    assert len(started) > count / 15, "some changes do no harm"
